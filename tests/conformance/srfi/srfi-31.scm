;;; SRFI 31: rec.
(use-modules (srfi srfi-64) (srfi srfi-31))
(test-begin "srfi-31")
(test-equal 120 ((rec (factorial n) (if (= n 0) 1 (* n (factorial (- n 1))))) 5))
(test-equal '(1 2 3) ((rec (f . args) args) 1 2 3))
(test-equal 3 ((rec f (lambda (n) (if (= n 0) 3 (f (- n 1))))) 5))
(test-end "srfi-31")
