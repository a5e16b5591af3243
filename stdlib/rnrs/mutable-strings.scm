;;; (rnrs mutable-strings): strings that change (R6RS Libraries, 18).

(define-module (rnrs mutable-strings)
  #:re-export (string-set! string-fill!))
