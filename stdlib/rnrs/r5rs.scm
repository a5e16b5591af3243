;;; (rnrs r5rs): what R5RS has and R6RS has not (R6RS Libraries, 19).

(define-module (rnrs r5rs)
  #:re-export
  (delay exact->inexact force inexact->exact modulo null-environment quotient remainder
   scheme-report-environment))
