;;; (ice-9 control): escapes, prompts, and the operators of delimited control.

(define-module (ice-9 control)
  #:export (let/ec let-escape-continuation % reset shift reset* shift*)
  #:re-export
  ((%abort . abort) abort-to-prompt call-with-escape-continuation call-with-prompt call/ec
   default-prompt-tag make-prompt-tag))

(define-syntax-rule (let/ec escape body ...)
  "Evaluate BODY with ESCAPE bound to a procedure that leaves it with a value."
  (call/ec (lambda (escape) body ...)))

(define-syntax-rule (let-escape-continuation escape body ...)
  "The same as let/ec."
  (let/ec escape body ...))

(define-syntax %
  (syntax-rules ()
    "(% [TAG] EXPRESSION [HANDLER]): the value of EXPRESSION inside a prompt."
    ((_ expression)
     (call-with-prompt (default-prompt-tag)
       (lambda () expression)
       (lambda (k proc) (proc k))))
    ((_ expression handler)
     (call-with-prompt (default-prompt-tag) (lambda () expression) handler))
    ((_ tag expression handler)
     (call-with-prompt tag (lambda () expression) handler))))

(define-syntax-rule (reset body ...)
  "Evaluate BODY inside a prompt that `shift` can take the continuation up to."
  (call-with-prompt (default-prompt-tag)
    (lambda () body ...)
    (lambda (k proc) (proc k))))

(define-syntax-rule (shift k body ...)
  "Evaluate BODY in place of the `reset` form around it, with K bound to what is left of that."
  (abort-to-prompt (default-prompt-tag)
    (lambda (resume)
      (let ((k (lambda values (reset (apply resume values)))))
        (reset body ...)))))

(define-syntax-rule (reset* thunk)
  "`reset` around a call of THUNK."
  (reset (thunk)))

(define-syntax-rule (shift* proc)
  "`shift`, with PROC called with the continuation."
  (shift k (proc k)))
