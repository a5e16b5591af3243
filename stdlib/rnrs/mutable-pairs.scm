;;; (rnrs mutable-pairs): pairs that change (R6RS Libraries, 17).

(define-module (rnrs mutable-pairs)
  #:re-export (set-car! set-cdr!))
