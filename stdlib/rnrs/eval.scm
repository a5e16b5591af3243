;;; (rnrs eval): evaluating data (R6RS Libraries, 16).

(define-module (rnrs eval)
  #:re-export (environment eval))
