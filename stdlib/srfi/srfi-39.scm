;;; (srfi srfi-39): parameters.

(define-module (srfi srfi-39)
  #:export (with-parameters*)
  #:re-export
  (current-error-port current-input-port current-output-port
   make-parameter parameterize))

(define (with-parameters* parameters values thunk)
  "Call THUNK with PARAMETERS, a list, bound to VALUES."
  (if (null? parameters)
      (thunk)
      (parameterize (((car parameters) (car values)))
        (with-parameters* (cdr parameters) (cdr values) thunk))))
