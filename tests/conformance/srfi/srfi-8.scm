;;; SRFI 8: receive.
(use-modules (srfi srfi-64) (srfi srfi-8))
(test-begin "srfi-8")
(test-equal '(1 2) (receive (a b) (values 1 2) (list a b)))
(test-equal '(1 (2 3)) (receive (a . rest) (values 1 2 3) (list a rest)))
(test-equal '(1 2) (receive all (values 1 2) all))
(test-end "srfi-8")
