;;; (srfi srfi-98): environment variables.

(define-module (srfi srfi-98)
  #:re-export
  (get-environment-variable get-environment-variables))
