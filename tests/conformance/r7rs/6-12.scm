;;; R7RS 6.12 Environments and evaluation

(import (scheme base) (scheme eval) (scheme r5rs) (scheme repl) (srfi 64))

(test-begin "6.12 Environments and evaluation")
(test-eqv 21 (eval '(* 7 3) (environment '(scheme base))))
(test-eqv 20
  (let ((f (eval '(lambda (f x) (f x x)) (environment '(scheme r5rs))))) (f + 10)))
(test-eqv 1024 (eval '(expt 2 10) (environment '(prefix (only (scheme base) expt) s:) '(scheme base))))
(test-eqv 32 (eval '(let ((a 2)) (define-syntax t (syntax-rules () ((_ x) (* x 16)))) (t a))
                   (environment '(scheme base))))
(test-error (eval '(foo) (environment '(scheme base))))
(test-error (eval '(if) (environment '(scheme base))))
(test-eqv 3 (begin (eval '(define evaluated 3) (interaction-environment))
                   (eval 'evaluated (interaction-environment))))
(test-error (eval '(define foo 32) (environment '(scheme base))))
(test-eqv 20 (let ((f (eval '(lambda (f x) (f x x)) (null-environment 5)))) (f + 10)))
(test-error (eval '(car '(1)) (null-environment 5)))
(test-eqv 1 (eval '(car '(1)) (scheme-report-environment 5)))
(test-error (scheme-report-environment 4))
(test-eqv 21 (eval '(* 7 3) (environment '(scheme base))))
(test-end)
