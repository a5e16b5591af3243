;;; (srfi srfi-28): simple format strings.

(define-module (srfi srfi-28)
  #:re-export
  (format))
