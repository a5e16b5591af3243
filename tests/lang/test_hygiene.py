"""Hygiene: adversarial macros, with the answers of Guile 3.0.8."""

from __future__ import annotations

from collections.abc import Callable

import pytest

ANSWERS = [
    (
        "(let ((x 1)) (define-syntax m (syntax-rules () ((_ y) (let ((x 2)) (list x y))))) (m x))",
        "(2 1)",
    ),
    (
        "(let () (define-syntax kw (syntax-rules (else) ((_ else) 'is-else) ((_ x) 'other))) (let"
        " ((else 1)) (list (kw else))))",
        "(other)",
    ),
    (
        "(let () (define-syntax kw (syntax-rules (else) ((_ else) 'is-else) ((_ x) 'other))) (kw "
        "else))",
        "is-else",
    ),
    (
        "(let () (define-syntax deftwo (syntax-rules () ((_ a b v) (begin (define tmp v) (define "
        "a tmp) (define b (+ tmp 1)))))) (deftwo p q 10) (deftwo r s 20) (list p q r s))",
        "(10 11 20 21)",
    ),
    (
        "(let () (define-syntax while (syntax-rules () ((_ c b ...) (let lp () (when c b ... "
        "(lp)))))) (let ((i 0) (lp 5)) (while (< i 3) (set! i (+ i lp))) (list i lp)))",
        "(5 5)",
    ),
    (
        "(let () (define-syntax aif (lambda (s) (syntax-case s () ((k c t e) (with-syntax ((it "
        "(datum->syntax #'k 'it))) #'(let ((it c)) (if it t e))))))) (list (aif (assq 'b '((a . "
        "1) (b . 2))) (cdr it) 'no) (let ((it 7)) (aif #f 1 it))))",
        "(2 #f)",
    ),
    (
        "(let () (define-syntax aif (lambda (s) (syntax-case s () ((k c t e) (with-syntax ((it "
        "(datum->syntax #'k 'it))) #'(let ((it c)) (if it t e))))))) (define-syntax foo (syntax-"
        "rules () ((_ c) (let ((it 99)) (aif c (list 'inner it) 'none))))) (list (let ((it 5)) "
        "(foo 3))))",
        "((inner 3))",
    ),
    (
        "(let () (define-syntax mk (syntax-rules () ((_ name val) (define-syntax name (syntax-"
        "rules () ((_) val) ((_ x (... ...)) (list val x (... ...)))))))) (mk seven 7) (list "
        "(seven) (seven 1 2)))",
        "(7 (7 1 2))",
    ),
    (
        "(let ((x 'a)) (define-syntax mk (syntax-rules () ((_ name) (define-syntax name (syntax-"
        "rules () ((_ y) (let ((x 'b)) (list x y)))))))) (mk q) (q x))",
        "(b a)",
    ),
    (
        "(let () (define-syntax my-let* (syntax-rules () ((_ () b ...) (let () b ...)) ((_ ((n v)"
        " r ...) b ...) (let ((n v)) (my-let* (r ...) b ...))))) (my-let* ((x 1) (y (+ x 1)) (x "
        "(* y 10))) (list x y)))",
        "(20 2)",
    ),
    (
        "(let () (define-syntax f (lambda (s) (syntax-case s () ((_ (a b ...) ...) #'(list (list "
        "(list b ... a) ...) '(b ... ...)))))) (f (1 2 3) (4 5) (6)))",
        "(((2 3 1) (5 4) (6)) (2 3 5))",
    ),
    (
        "(let () (define-syntax sw (lambda (s) (syntax-case s () ((_ a b) (and (identifier? #'a) "
        "(identifier? #'b)) #'(let ((t a)) (set! a b) (set! b t)))))) (let ((t 1) (u 2)) (sw t u)"
        " (list t u)))",
        "(2 1)",
    ),
    (
        "(let () (define-syntax gt (lambda (s) (syntax-case s () ((_ e ...) (with-syntax (((t "
        "...) (generate-temporaries #'(e ...)))) #'(let ((t e) ...) (list t ...))))))) (let ((t "
        "5)) (gt t (+ t 1) 3)))",
        "(5 6 3)",
    ),
    (
        "(let () (define-syntax q (lambda (s) (syntax-case s () ((_ e ...) #`(list #,@(map "
        "(lambda (x) #`(list '#,x #,x)) #'(e ...))))))) (let ((a 1) (b 2)) (q a b)))",
        "((a 1) (b 2))",
    ),
    (
        "(let () (define-syntax-rule (ten) 10) (define-syntax-rule (plus-ten x) (+ x (ten))) (let"
        " ((ten 3)) (plus-ten ten)))",
        "13",
    ),
    (
        "(let ((y 3)) (define-syntax idm (identifier-syntax (* y 2))) (let ((y 100)) (list idm (+"
        " idm 1))))",
        "(6 7)",
    ),
    (
        "(let () (define-syntax ev? (syntax-rules () ((_ n) (let loop ((k n)) (if (= k 0) #t (od?"
        " (- k 1))))))) (define-syntax od? (syntax-rules () ((_ n) (if (= n 0) #f #t)))) (ev? 1))",
        "#f",
    ),
    (
        "(let () (define (f) (g)) (define-syntax g (syntax-rules () ((_) 'macro-g))) (f))",
        "macro-g",
    ),
    (
        "(let loop ((i 0)) (define-syntax inc (syntax-rules () ((_ x) (+ x 1)))) (if (< i 5) "
        "(loop (inc i)) i))",
        "5",
    ),
    (
        "(let () (define-syntax m (lambda (s) (syntax-case s () ((_ a) (if (free-identifier=? #'a"
        " #'car) #''car #''other))))) (list (m car) (m cdr) (let ((car 1)) (m car))))",
        "(car other other)",
    ),
    (
        "(let () (define-syntax m (lambda (s) (syntax-case s () ((_ a b) (if (bound-identifier=? "
        "#'a #'b) #''same #''diff))))) (define-syntax n (syntax-rules () ((_ x) (m x y)))) (list "
        "(m p p) (m p q) (n y)))",
        "(same diff diff)",
    ),
    (
        "(let () (define-syntax my-cond (syntax-rules (else) ((_ (else e)) e) ((_ (c e) r ...) "
        "(if c e (my-cond r ...))))) (my-cond (#f 1) ((= 1 1) 2) (else 3)))",
        "2",
    ),
    (
        "(let () (define-syntax vec (syntax-rules () ((_ #(a b ...) ...) '((a ...) (b ... "
        "...))))) (vec #(1 2 3) #(4 5)))",
        "((1 4) (2 3 5))",
    ),
    (
        "(let () (define-syntax t (syntax-rules () ((_ a ... z) '(z a ...)))) (t 1 2 3 4))",
        "(4 1 2 3)",
    ),
    (
        "(let () (define-syntax t (syntax-rules () ((_ (a . b) ...) '((b ...) (a ...))))) (t (1 2"
        " 3) (4 . 5)))",
        "(((2 3) 5) (1 4))",
    ),
    (
        "(let () (define-syntax my-if (syntax-rules () ((_ c a b) (cond (c a) (else b))))) (let "
        "((else #f)) (my-if #f 1 2)))",
        "2",
    ),
    (
        "(let () (define-syntax ctr (let ((n 0)) (lambda (s) (set! n (+ n 1)) (datum->syntax "
        "#'here n)))) (list (ctr) (ctr) (ctr)))",
        "(1 2 3)",
    ),
    (
        "(let ((a 1)) (let-syntax ((f (syntax-rules () ((_ x) (let ((a 2)) (+ x a)))))) (let ((a "
        "10)) (f a))))",
        "12",
    ),
    (
        "(let () (define-syntax parm (syntax-rules () ((_ body) (let-syntax ((ret (syntax-rules "
        "() ((_ v) (list 'ret v))))) body)))) (let ((r (parm (list 1)))) r))",
        "(1)",
    ),
    (
        "(letrec-syntax ((o (syntax-rules () ((_) 'odd-end) ((_ x . r) (e . r)))) (e (syntax-"
        "rules () ((_) 'even-end) ((_ x . r) (o . r))))) (list (e) (e 1) (e 1 2)))",
        "(even-end odd-end even-end)",
    ),
    (
        "(let ((if (lambda (a b c) (list 'fn a b c)))) (define-syntax m (syntax-rules () ((_ x) "
        "(if x 1 2)))) (m 0))",
        "(fn 0 1 2)",
    ),
    (
        "(let () (define-syntax m (lambda (s) (syntax-case s () ((_ . args) (with-syntax (((x y "
        "...) #'args)) #'(list x '(y ...))))))) (m 1 2 3))",
        "(1 (2 3))",
    ),
    (
        "(let () (define-syntax m (lambda (s) (define (helper x) (syntax-case x () ((a b) #'(+ a "
        "b)) (a #'(* a 2)))) (syntax-case s () ((_ e ...) #`(list #,@(map helper #'(e ...))))))) "
        "(m (1 2) 5))",
        "(3 10)",
    ),
    (
        "(let () (define-syntax m (syntax-rules () ((_ x) (let-syntax ((inner (syntax-rules () "
        "((_ y) (list x y))))) (inner x))))) (let ((y 4)) (m y)))",
        "(4 4)",
    ),
    (
        "(let ((z 0)) (define-syntax m (syntax-rules () ((_ v e) (let ((v 1)) (let-syntax ((g "
        "(syntax-rules () ((_) v)))) (let ((v 2)) (list (g) e))))))) (m z z))",
        "(1 2)",
    ),
    (
        "`(1 ,@(map (lambda (x) `(a ,x)) '(1 2)) . ,(+ 1 2))",
        "(1 (a 1) (a 2) . 3)",
    ),
    (
        "`(1 `(2 ,(3 ,(+ 1 3))))",
        "(1 (quasiquote (2 (unquote (3 4)))))",
    ),
    (
        "(let ((x 1)) (define-syntax-rule (m) x) (let ((x 2)) (m)))",
        "1",
    ),
    (
        "(let () (define-syntax my-or (syntax-rules () ((_) #f) ((_ e) e) ((_ e r ...) (let ((t "
        "e)) (if t t (my-or r ...)))))) (let ((t 5)) (my-or #f t)))",
        "5",
    ),
    (
        "(let () (define-syntax ell (syntax-rules ::: () ((_ x :::) (list 'x ::: '...)))) (ell 1 "
        "2))",
        "(1 2 ...)",
    ),
    (
        "(let () (define-syntax be-like-begin (syntax-rules () ((_ name) (define-syntax name "
        "(syntax-rules () ((_ expr (... ...)) (begin expr (... ...)))))))) (be-like-begin "
        "sequence) (sequence 1 2 3 4))",
        "4",
    ),
    (
        "(let () (define-syntax nested (syntax-rules () ((_ ((a b ...) ...)) '((b ... a) ...)))) "
        "(nested ((1 2 3) (4) (5 6))))",
        "((2 3 1) (4) (6 5))",
    ),
    (
        "(let () (define-syntax tail (syntax-rules () ((_ a ... b c) '(c b (a ...))))) (tail 1 2 "
        "3 4))",
        "(4 3 (1 2))",
    ),
    (
        "(let () (define-syntax under (syntax-rules () ((_ _ x) 'x))) (under 1 2))",
        "2",
    ),
    (
        "(let ((cons list)) (define-syntax-rule (q a b) `(a . ,b)) (q 1 2))",
        "(1 . 2)",
    ),
    (
        "(let () (define-syntax jabber (syntax-rules () ((_ v) (letrec ((v 1) (f (lambda () v))) "
        "(f))))) (jabber v))",
        "1",
    ),
]


@pytest.mark.parametrize(("program", "answer"), ANSWERS, ids=range(len(ANSWERS)))
def test_macros_give_the_answers_of_guile(
    show: Callable[[str], str], program: str, answer: str
) -> None:
    assert show(program) == answer
