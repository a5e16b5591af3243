;;; SRFI 16: case-lambda.
(use-modules (srfi srfi-64) (srfi srfi-16))
(test-begin "srfi-16")
(define f (case-lambda ((a) (list 'one a)) ((a b) (list 'two a b)) ((a . rest) (list 'more a rest))))
(test-equal '(one 1) (f 1))
(test-equal '(two 1 2) (f 1 2))
(test-equal '(more 1 (2 3)) (f 1 2 3))
(test-error (f))
(test-end "srfi-16")
