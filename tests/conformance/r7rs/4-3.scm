;;; R7RS 4.3 Macros

(import (scheme base) (scheme eval) (scheme repl) (srfi 64))

(define here (environment '(scheme base)))

(test-begin "4.3.1 Binding constructs for syntactic keywords")
(test-eq 'now
  (let-syntax ((given-that (syntax-rules ()
                             ((_ test stmt1 stmt2 ...) (if test (begin stmt1 stmt2 ...))))))
    (let ((if #t)) (given-that if (set! if 'now)) if)))
(test-eq 'outer
  (let ((x 'outer))
    (let-syntax ((m (syntax-rules () ((m) x))))
      (let ((x 'inner)) (m)))))
(test-eqv 7
  (letrec-syntax
      ((my-or (syntax-rules ()
                ((my-or) #f)
                ((my-or e) e)
                ((my-or e1 e2 ...) (let ((temp e1)) (if temp temp (my-or e2 ...)))))))
    (let ((x #f) (y 7) (temp 8) (let odd?) (if even?))
      (my-or x (let temp) (if y) y))))
(test-end)

(test-begin "4.3.2 Pattern language")
(define-syntax be-like-begin
  (syntax-rules ()
    ((be-like-begin name)
     (define-syntax name (syntax-rules () ((name expr (... ...)) (begin expr (... ...))))))))
(be-like-begin sequence)
(test-eqv 4 (sequence 1 2 3 4))
(test-eq 'ok (let ((=> #f)) (cond (#t => 'ok))))
(test-equal '((1 4) (2 3 5))
  (let-syntax ((m (syntax-rules () ((_ #(a b ...) ...) '((a ...) (b ... ...))))))
    (m #(1 2 3) #(4 5))))
(test-equal '(3 (1 2)) (let-syntax ((m (syntax-rules () ((_ a ... z) '(z (a ...)))))) (m 1 2 3)))
(test-equal '((1 2) 3 . 4)
  (let-syntax ((m (syntax-rules () ((_ a ... b . c) '((a ...) b . c))))) (m 1 2 3 . 4)))
(test-equal '(1 ((2 3)))
  (let-syntax ((m (syntax-rules () ((_ a . rest) '(a (rest)))))) (m 1 2 3)))
(test-equal '(1 2 ...)
  (let-syntax ((m (syntax-rules ::: () ((_ a :::) (list 'a ::: '...))))) (m 1 2)))
(test-equal '(second)
  (let-syntax ((m (syntax-rules () ((_ _ x) '(x))))) (m first second)))
(test-equal '(in (1 2) "lit")
  (let-syntax ((m (syntax-rules (in) ((_ (a ...) in "lit") '(in (a ...) "lit")) ((_ . x) 'no))))
    (m (1 2) in "lit")))
(test-eq 'no
  (let-syntax ((m (syntax-rules (in) ((_ in) 'yes) ((_ x) 'no)))) (let ((in 1)) (m in))))
(test-equal '((a (1 2)) (b ()) (c (3)))
  (let-syntax ((m (syntax-rules () ((_ (k v ...) ...) '((k (v ...)) ...))))) (m (a 1 2) (b) (c 3))))
(test-equal '((1 a) (2 a) (1 b))
  (let-syntax ((m (syntax-rules () ((_ (k v ...) ...) '((v k) ... ...)))))
    (m (a 1 2) (b 1))))
(test-eqv 3 (let-syntax ((m (syntax-rules () ((m #t) 1) ((m "x") 2) ((m #\y) 3)))) (m #\y)))
(test-eqv 10
  (let-syntax ((ten (syntax-rules () ((_) 10))))
    (define-syntax jabberwocky
      (syntax-rules ()
        ((_ hatter) (begin (define march-hare (ten))
                           (define-syntax hatter (syntax-rules () ((_) march-hare)))))))
    (jabberwocky mad-hatter)
    (mad-hatter)))
;; The ellipsis among the literals is a literal.
(test-eq 'dots
  (let-syntax ((m (syntax-rules (...) ((_ ...) 'dots) ((_ x) 'other)))) (m ...)))
(test-eq 'under
  (let-syntax ((m (syntax-rules (_) ((m _) 'under) ((m x) 'other)))) (m _)))
(test-error (eval '(let-syntax ((m (syntax-rules () ((_ a) a)))) (m)) here))
(test-error (eval '(let-syntax ((m (syntax-rules () ((_ a a) a)))) (m 1 2)) here))
(test-end)

(test-begin "4.3.2 Hygiene")
(define-syntax swap!
  (syntax-rules () ((_ a b) (let ((tmp a)) (set! a b) (set! b tmp)))))
(test-equal '(2 1) (let ((tmp 1) (other 2)) (swap! tmp other) (list tmp other)))
(define-syntax loop-until
  (syntax-rules ()
    ((_ id init test return step) (letrec ((loop (lambda (id) (if test return (loop step)))))
                                    (loop init)))))
(test-eqv 8 (loop-until x 1 (> x 5) x (* x 2)))
(define-syntax my-if (syntax-rules () ((_ c a b) (cond (c a) (else b)))))
(test-eqv 2 (let ((else #f) (if list)) (my-if #f 1 2)))
(define-syntax while
  (syntax-rules () ((_ c b ...) (let lp () (when c b ... (lp))))))
(test-eqv 5 (let ((lp 0)) (while (< lp 5) (set! lp (+ lp 1))) lp))
(define-syntax my-let*
  (syntax-rules ()
    ((_ () b ...) (let () b ...))
    ((_ ((n v) more ...) b ...) (let ((n v)) (my-let* (more ...) b ...)))))
(test-equal '(1 2 4) (my-let* ((x 1) (y (+ x x)) (x2 (* y y))) (list x y x2)))
(define-syntax define-getter
  (syntax-rules () ((_ name value) (begin (define hidden value) (define (name) hidden)))))
(define-getter get-one 1)
(define-getter get-two 2)
(test-equal '(1 2) (list (get-one) (get-two)))
(define-syntax my-list-of
  (syntax-rules ()
    ((_ "step" (acc ...) ()) (list acc ...))
    ((_ "step" (acc ...) (x . rest)) (my-list-of "step" (x acc ...) rest))
    ((_ . xs) (my-list-of "step" () xs))))
(test-equal '(3 2 1) (my-list-of 1 2 3))
(define-syntax kw (syntax-rules (else) ((_ else) 'keyword) ((_ x) x)))
(test-eqv 1 (let ((else 1)) (kw else)))
(test-eq 'keyword (kw else))
(test-equal '(1 2 3) (let loop ((define 3) (acc '()))
                       (if (= define 0) acc (loop (- define 1) (cons define acc)))))
(test-equal '(quote-was-shadowed 1) (let ((quote (lambda (x) (list (string->symbol "quote-was-shadowed") x)))) '1))
(test-eqv 3 (let ((begin list) (set! +)) (set! 1 2)))
(test-end)

(test-begin "4.3.3 Signaling errors in macro transformers")
(define-syntax simple-let
  (syntax-rules ()
    ((_ (head ... ((x . y) val) . tail) body1 body2 ...)
     (syntax-error "expected an identifier but got" (x . y)))
    ((_ ((name val) ...) body1 body2 ...)
     ((lambda (name ...) body1 body2 ...) val ...))))
(test-eqv 3 (simple-let ((a 1) (b 2)) (+ a b)))
(test-error
 (eval '(begin
          (define-syntax simple-let
            (syntax-rules ()
              ((_ (head ... ((x . y) val) . tail) body1 body2 ...)
               (syntax-error "expected an identifier but got" (x . y)))
              ((_ ((name val) ...) body1 body2 ...)
               ((lambda (name ...) body1 body2 ...) val ...))))
          (simple-let ((a 1) ((b . c) 2)) a))
       (interaction-environment)))
(test-error (eval '(let-syntax ((m (syntax-rules () ((_ (a ...) (b ...)) '((a b) ...))))) (m (1 2) (3)))
                  here))
(test-error (eval '(let-syntax ((m (syntax-rules () ((_ a ... b ...) 1)))) (m 1)) here))
(test-error (eval '(let-syntax ((m 5)) (m)) here))
(test-error (eval '(let-syntax ((m (syntax-rules () ((_ x) (syntax-error "no" x))))) (m 1)) here))
(test-end)
