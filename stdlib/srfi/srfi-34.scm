;;; (srfi srfi-34): raising and handling any object.

(define-module (srfi srfi-34)
  #:re-export
  (guard raise with-exception-handler))
