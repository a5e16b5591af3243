;;; (rnrs conditions): conditions as R6RS makes and takes them apart (Libraries, 7.2).

(define-module (rnrs conditions)
  #:use-module ((ice-9 exceptions) #:select ((define-exception-type . define-condition-type)))
  #:export (condition)
  #:re-export
  (define-condition-type condition? simple-conditions condition-predicate condition-accessor
   &condition
   &message make-message-condition message-condition? condition-message
   &warning make-warning warning? &serious make-serious-condition serious-condition?
   &error make-error error? &violation make-violation violation?
   &assertion make-assertion-violation assertion-violation?
   &irritants make-irritants-condition irritants-condition? condition-irritants
   &who make-who-condition who-condition? condition-who
   &non-continuable make-non-continuable-violation non-continuable-violation?
   &implementation-restriction make-implementation-restriction-violation
   implementation-restriction-violation?
   &lexical make-lexical-violation lexical-violation?
   &syntax make-syntax-violation syntax-violation? syntax-violation-form
   syntax-violation-subform
   &undefined make-undefined-violation undefined-violation?))

(define (condition . conditions)
  "One condition that is all of CONDITIONS."
  (apply make-exception conditions))
