;;; SRFI 87: => in case clauses.
(use-modules (srfi srfi-64) (srfi srfi-87))
(test-begin "srfi-87")
(test-equal '(2) (case 2 ((1 2 3) => list) (else 'no)))
(test-equal '(9) (case 9 ((1 2 3) 'in) (else => list)))
(test-equal 'in (case 1 ((1) 'in) (else => list)))
(test-end "srfi-87")
