;;; (ice-9 control): escapes and prompts. Continuations can be left but not re-entered, so that
;;; shift and reset are not here.

(define-module (ice-9 control)
  #:export (let/ec % abort)
  #:re-export
  (abort-to-prompt call-with-escape-continuation call-with-prompt call/ec
   default-prompt-tag make-prompt-tag))

(define-syntax-rule (let/ec escape body ...)
  "Evaluate BODY with ESCAPE bound to a procedure that leaves it with a value."
  (call/ec (lambda (escape) body ...)))

(define-syntax %
  (syntax-rules ()
    ((_ expression)
     (call-with-prompt (default-prompt-tag)
       (lambda () expression)
       (lambda (k proc) (proc k))))
    ((_ expression handler)
     (call-with-prompt (default-prompt-tag) (lambda () expression) handler))
    ((_ tag expression handler)
     (call-with-prompt tag (lambda () expression) handler))))

(define (abort . values)
  "Leave to the default prompt with VALUES."
  (apply abort-to-prompt (default-prompt-tag) values))
