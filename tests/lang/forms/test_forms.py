"""Core and derived forms, with the answers of Guile 3.0.8."""

from __future__ import annotations

from collections.abc import Callable

import pytest

MODULES = """(use-modules (srfi srfi-2) (srfi srfi-8) (srfi srfi-9) (srfi srfi-11)
  (srfi srfi-26) (srfi srfi-31) (srfi srfi-34) (srfi srfi-35))"""

ANSWERS = [
    (
        "(let-values (((a b) (values 1 2)) ((c . d) (values 3 4 5)) (e (values 6 7))) (list a b c"
        " d e))",
        "(1 2 3 (4 5) (6 7))",
    ),
    (
        "(let*-values (((a b) (values 1 2)) ((c) (values (+ a b)))) (list a b c))",
        "(1 2 3)",
    ),
    (
        "(receive (a . b) (values 1 2 3) (list a b))",
        "(1 (2 3))",
    ),
    (
        "(receive all (values 1 2 3) all)",
        "(1 2 3)",
    ),
    (
        "(and-let* ((x 5) ((> x 3)) (y (+ x 1))) (* x y))",
        "30",
    ),
    (
        "(and-let* ((x #f) (y (car x))) y)",
        "#f",
    ),
    (
        "(and-let* ())",
        "#t",
    ),
    (
        "((cut list 1 <> 3 <>) 2 4)",
        "(1 2 3 4)",
    ),
    (
        "((cut list 1 <> <...>) 2 4 5)",
        "(1 2 4 5)",
    ),
    (
        "((cute + <> 1) 2)",
        "3",
    ),
    (
        "(map (cut * 2 <>) '(1 2 3))",
        "(2 4 6)",
    ),
    (
        "(guard (e (#t (list 'caught e))) (raise 'boom))",
        "(caught boom)",
    ),
    (
        '(guard (e ((symbol? e) e) ((string? e) \'str)) (raise "x"))',
        "str",
    ),
    (
        "(guard (e ((assq 'a e) => cdr) ((assq 'b e))) (raise (list (cons 'a 42))))",
        "42",
    ),
    (
        "(guard (e ((assq 'a e) => cdr) ((assq 'b e))) (raise (list (cons 'b 23))))",
        "(b . 23)",
    ),
    (
        "(guard (e (#f 1)) 5)",
        "5",
    ),
    (
        "(guard (e (#t 'outer)) (guard (e2 ((number? e2) 'num)) (raise 'sym)))",
        "outer",
    ),
    (
        "(let ((p (make-parameter 1))) (list (p) (parameterize ((p 2)) (p)) (p)))",
        "(1 2 1)",
    ),
    (
        "(let ((p (make-parameter 1 (lambda (x) (* x 2))))) (list (p) (parameterize ((p 2)) (p)) "
        "(p)))",
        "(2 4 2)",
    ),
    (
        "(force (delay (+ 1 2)))",
        "3",
    ),
    (
        "(let ((x 0)) (while (< x 5) (set! x (+ x 1))) x)",
        "5",
    ),
    (
        "(let ((x 0)) (while #t (set! x (+ x 1)) (if (= x 7) (break))) x)",
        "7",
    ),
    (
        "(let ((x 0) (y 0)) (while (< x 10) (set! x (+ x 1)) (if (odd? x) (continue)) (set! y (+ "
        "y x))) y)",
        "30",
    ),
    (
        "(let ((x 0)) (while #t (set! x (+ x 1)) (if (= x 7) (break 1))))",
        "1",
    ),
    (
        "((case-lambda ((a) (list 'one a)) ((a b) (list 'two a b)) ((a . r) (list 'many a r))) 1)",
        "(one 1)",
    ),
    (
        "((case-lambda ((a) (list 'one a)) ((a b) (list 'two a b)) ((a . r) (list 'many a r))) 1 "
        "2)",
        "(two 1 2)",
    ),
    (
        "((case-lambda ((a) (list 'one a)) ((a b) (list 'two a b)) ((a . r) (list 'many a r))) 1 "
        "2 3)",
        "(many 1 (2 3))",
    ),
    (
        "((case-lambda* ((a #:optional b) (list 'opt a b)) ((a b c) (list 'three a b c))) 1)",
        "(opt 1 #f)",
    ),
    (
        "((lambda* (a #:optional (b (+ a 1)) #:key (c (* b 2)) d #:rest r) (list a b c d r)) 1 2 "
        "#:c 3)",
        "(1 2 3 #f (#:c 3))",
    ),
    (
        "((lambda* (a #:key (c 5) #:allow-other-keys) (list a c)) 1 #:z 3)",
        "(1 5)",
    ),
    (
        "(let () (define* (f a #:optional b) (list a b)) (list (f 1) (f 1 2)))",
        "((1 #f) (1 2))",
    ),
    (
        "(let loop ((i 0) (acc '())) (if (= i 5) (reverse acc) (loop (+ i 1) (cons i acc))))",
        "(0 1 2 3 4)",
    ),
    (
        "(do ((vec (make-vector 5)) (i 0 (+ i 1))) ((= i 5) vec) (vector-set! vec i i))",
        "#(0 1 2 3 4)",
    ),
    (
        "(case (* 2 3) ((2 3 5 7) 'prime) ((1 4 6 8 9) 'composite))",
        "composite",
    ),
    (
        "(case 'x ((a) 1) (else => (lambda (v) (list v))))",
        "(x)",
    ),
    (
        "(case '() ((()) 'nil) (else 'no))",
        "nil",
    ),
    (
        "(cond ((values 1 2 3) (lambda l (= (length l) 3)) => list) (else 'x))",
        "(1 2 3)",
    ),
    (
        "(let ((x 1)) (cond-expand (guile 'g) (else 'e)))",
        "g",
    ),
    (
        "`(1 ,@'() . 2)",
        "(1 . 2)",
    ),
    (
        "`#(1 ,@(list 2 3) 4)",
        "#(1 2 3 4)",
    ),
    (
        "`(a `(b ,(c ,(+ 1 2))))",
        "(a (quasiquote (b (unquote (c 3)))))",
    ),
    (
        "`(a `(b ,@(c ,@(list 1 2))))",
        "(a (quasiquote (b (unquote-splicing (c 1 2)))))",
    ),
    (
        "(let ((x '(1 2))) `(x ,x ,@x))",
        "(x (1 2) 1 2)",
    ),
    (
        "`(unquote (+ 1 2))",
        "3",
    ),
    (
        "`(1 unquote (+ 1 2))",
        "(1 . 3)",
    ),
    (
        "`((1 ,@(list 2)) . ,(list 3))",
        "((1 2) 3)",
    ),
    (
        "(let* () 5)",
        "5",
    ),
    (
        "(letrec ((even? (lambda (n) (if (= n 0) #t (odd? (- n 1))))) (odd? (lambda (n) (if (= n "
        "0) #f (even? (- n 1)))))) (even? 1000))",
        "#t",
    ),
    (
        "(let () (define x 1) (set! x (+ x 1)) x)",
        "2",
    ),
    (
        "(let-syntax ((foo (syntax-rules () ((_ a) (* a 2))))) (foo 4))",
        "8",
    ),
    (
        "(let ((f (lambda args args))) (f 1 2))",
        "(1 2)",
    ),
    (
        "(let ((tmp 1) (y 2)) (define-syntax-rule (swap! a b) (let ((tmp a)) (set! a b) (set! b "
        "tmp))) (swap! tmp y) (list tmp y))",
        "(2 1)",
    ),
    (
        '(begin (define-syntax-parameter it (lambda (s) (syntax-violation \'it "no" s))) (define-'
        "syntax-rule (aif c t e) (let ((v c)) (if v (syntax-parameterize ((it (identifier-syntax "
        "v))) t) e))) (aif (assq 'a '((a . 1))) (cdr it) 'no))",
        "1",
    ),
    (
        "(let ((x 10)) (define-syntax y (identifier-syntax (x (* x 2)) ((set! x v) (set! x (+ v "
        "1))))) 1)",
        "1",
    ),
    (
        "(let ((x 10)) (define-syntax y (identifier-syntax (_ (* x 2)) ((set! _ v) (set! x (+ v "
        "1))))) (set! y 5) (list x y))",
        "(6 12)",
    ),
    (
        "(let () (define-syntax m (make-variable-transformer (lambda (s) (syntax-case s (set!) "
        "((set! _ v) #''assigned) (_ (identifier? s) #''ref))))) (list m (set! m 3)))",
        "(ref assigned)",
    ),
    (
        "((rec (f n) (if (= n 0) 1 (* n (f (- n 1))))) 5)",
        "120",
    ),
    (
        "(let () (define-record-type point (make-point x y) point? (x point-x set-point-x!) (y "
        "point-y)) (let ((p (make-point 1 2))) (set-point-x! p 5) (list (point-x p) (point-y p) "
        "(point? p) (point? 3))))",
        "(5 2 #t #f)",
    ),
    (
        "(let () (define-condition-type &foo &error foo? (a foo-a) (b foo-b)) (guard (c ((foo? c)"
        " (list (foo-a c) (foo-b c)))) (raise (condition (&foo (a 1) (b 2))))))",
        "(1 2)",
    ),
    (
        "(guard (c ((message-condition? c) (condition-message c))) (raise (condition (&message "
        '(message "hi")))))',
        '"hi"',
    ),
    (
        "(let ((=> #f)) (cond (#t => 'ok)))",
        "ok",
    ),
    (
        "(let loop ((i 0)) (define (f) i) (if (< i 3) (loop (+ i 1)) (f)))",
        "3",
    ),
    (
        "(begin (define (compose . fs) fs) (compose 1 2))",
        "(1 2)",
    ),
    (
        "(let ((x 1)) (begin (define y 2)) (+ x 1))",
        "2",
    ),
    (
        "(let () (define-values (a b) (values 1 2)) (define c (+ a b)) (list a b c))",
        "(1 2 3)",
    ),
    (
        "(catch 'foo (lambda () (throw 'foo 1 2)) (lambda (k . args) (cons k args)))",
        "(foo 1 2)",
    ),
    (
        "(let ((l '(1 2 3))) (apply + 1 l))",
        "7",
    ),
    (
        "(eval-when (expand load eval) (+ 1 2))",
        "3",
    ),
    (
        '(string-append "a" (let ((x "b")) x))',
        '"ab"',
    ),
]


@pytest.mark.parametrize(("program", "answer"), ANSWERS, ids=range(len(ANSWERS)))
def test_forms_give_the_answers_of_guile(
    show: Callable[[str], str], program: str, answer: str
) -> None:
    assert show(MODULES + program) == answer
