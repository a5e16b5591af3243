;;; (srfi srfi-45): lazy promises.

(define-module (srfi srfi-45)
  #:export (eager)
  #:re-export
  (delay force lazy promise?))

(define (eager value)
  "A promise that has VALUE already."
  (make-promise value))
