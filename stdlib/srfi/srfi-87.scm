;;; (srfi srfi-87): => in case clauses.

(define-module (srfi srfi-87)
  #:re-export
  (case))
