;;; Included by 4-1.scm.
(define a '(1 2))
(define (b n) (+ n 10))
