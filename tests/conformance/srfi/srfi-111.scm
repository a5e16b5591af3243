;;; SRFI 111: boxes.
(use-modules (srfi srfi-64) (srfi srfi-111))
(test-begin "srfi-111")
(define b (box 1))
(test-assert (box? b))
(test-assert (not (box? 1)))
(test-equal 1 (unbox b))
(test-equal 2 (begin (set-box! b 2) (unbox b)))
(test-end "srfi-111")
