;;; (ice-9 curried-definitions): (define ((f a) b) ...), which define and define* do anyway.

(define-module (ice-9 curried-definitions)
  #:re-export
  (define define* define-public define*-public))
