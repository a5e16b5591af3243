;;; (srfi srfi-17): generalized set!, which Kiln has by default. car, vector-ref and the like have
;;; setters here.

(define-module (srfi srfi-17)
  #:use-module (srfi srfi-17 setters)
  #:export (getter-with-setter)
  #:re-export (setter))

(for-each (lambda (entry) (add-setter! (car entry) (cdr entry)))
          `((,car . ,set-car!) (,cdr . ,set-cdr!)
            (,caar . ,(lambda (x v) (set-car! (car x) v)))
            (,cadr . ,(lambda (x v) (set-car! (cdr x) v)))
            (,cdar . ,(lambda (x v) (set-cdr! (car x) v)))
            (,cddr . ,(lambda (x v) (set-cdr! (cdr x) v)))
            (,caddr . ,(lambda (x v) (set-car! (cddr x) v)))
            (,vector-ref . ,vector-set!) (,string-ref . ,string-set!)
            (,list-ref . ,list-set!) (,bytevector-u8-ref . ,bytevector-u8-set!)
            (,hash-ref . ,hash-set!) (,hashq-ref . ,hashq-set!) (,hashv-ref . ,hashv-set!)))

(define (getter-with-setter getter setter)
  "A procedure that does what GETTER does and calls SETTER in (set! (it argument ...) value)."
  (make-procedure-with-setter getter setter))
