;;; SRFI 23: error.
(use-modules (srfi srfi-64) (srfi srfi-34))
(test-begin "srfi-23")
(test-error #t (error "boom"))
(test-equal 'misc-error (catch 'misc-error (lambda () (error "a" 1)) (lambda (key . rest) key)))
(test-equal "bad thing: (1) \"s\"" (catch #t (lambda () (error "bad thing:" '(1) "s")) (lambda (key who fmt args . rest) (apply format #f fmt args))))
(test-equal 'after (guard (e (#t 'after)) (list 1 (error "in an argument") 2)))
(test-end "srfi-23")
