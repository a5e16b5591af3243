;;; (ice-9 exceptions): exceptions as Guile 3 names them.

(define-module (ice-9 exceptions)
  #:export (define-exception-type &quit-exception make-quit-exception quit-exception?
            quit-exception-code implementation-restriction-error?
            make-implementation-restriction-error make-syntax-error
            syntax-error-form syntax-error-subform)
  #:re-export
  (&assertion-failure &error &exception &external-error
   &implementation-restriction &irritants &lexical &message
   &non-continuable &origin &programming-error &syntax
   &undefined-variable &warning assertion-failure? error?
   exception-accessor exception-args exception-irritants exception-kind
   exception-message exception-origin exception-predicate
   exception-type? exception-with-irritants? exception-with-message?
   exception-with-origin? exception? external-error? guard
   lexical-error? make-assertion-failure make-error make-exception
   make-exception-type make-exception-with-irritants
   make-exception-with-message make-exception-with-origin
   make-external-error make-lexical-error make-non-continuable-error
   make-programming-error make-undefined-variable-error make-warning
   non-continuable-error? programming-error? raise-continuable
   raise-exception simple-exceptions syntax-error?
   undefined-variable-error? warning? with-exception-handler))

(define-syntax-rule (define-exception-type type parent constructor predicate (field accessor) ...)
  "An exception type with its procedures; the constructor takes the fields of the parent first."
  (begin
    (define type (make-exception-type 'type parent '(field ...)))
    (define constructor (exception-constructor type))
    (define predicate (exception-predicate type))
    (define accessor (exception-accessor type 'field))
    ...))

(define-exception-type &quit-exception &exception make-quit-exception quit-exception?
  (code quit-exception-code))

(define make-syntax-error (exception-constructor &syntax))
(define syntax-error-form (exception-accessor &syntax 'form))
(define syntax-error-subform (exception-accessor &syntax 'subform))
(define make-implementation-restriction-error (exception-constructor &implementation-restriction))
(define implementation-restriction-error? (exception-predicate &implementation-restriction))
