;;; (rnrs control): control structures (R6RS Libraries, 5).

(define-module (rnrs control)
  #:re-export (when unless do case-lambda))
