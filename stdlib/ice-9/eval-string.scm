;;; (ice-9 eval-string): evaluating text.

(define-module (ice-9 eval-string)
  #:export (eval-string)
  #:replace (eval-string))

(define core-eval-string (@ (guile) eval-string))

(define* (eval-string text #:key (module (current-module)) file line column lang compile?)
  "The value of the last form of TEXT."
  (core-eval-string text module))
