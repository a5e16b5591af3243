;;; (srfi srfi-35): conditions.

(define-module (srfi srfi-35)
  #:re-export
  (&condition &error &message &serious condition condition-has-type?
   condition-message condition-ref condition-type? condition?
   define-condition-type error? extract-condition
   make-compound-condition make-condition make-condition-type
   message-condition? serious-condition?))
