;;; SRFI 71: let, let* and letrec that bind several values.

(define-module (srfi srfi-71)
  #:use-module (srfi srfi-11)
  #:export ((let-of-values . let) (let*-of-values . let*) (letrec-of-values . letrec)
            uncons unlist unvector values->list values->vector))

(eval-when (expand load eval)
  ;; (formals expression) of a binding: (x ... expression) or ((values x ... . rest) expression).
  (define (formals+expression binding)
    (syntax-case binding (values)
      (((values . formals) expression) #'(formals expression))
      ((name ... expression) #'((name ...) expression)))))

(define-syntax let-of-values
  (lambda (form)
    "A let of bindings (variable ... expression) and ((values variable ... . rest) expression)."
    (syntax-case form ()
      ((_ name (binding ...) body ...)
       (identifier? #'name)
       #'(let name (binding ...) body ...))
      ((_ (binding ...) body ...)
       (with-syntax (((binding ...) (map formals+expression #'(binding ...))))
         #'(let-values (binding ...) body ...))))))

(define-syntax let*-of-values
  (lambda (form)
    "As this let, where each expression sees the variables before it."
    (syntax-case form ()
      ((_ (binding ...) body ...)
       (with-syntax (((binding ...) (map formals+expression #'(binding ...))))
         #'(let*-values (binding ...) body ...))))))

(define-syntax letrec-of-values
  (lambda (form)
    "As this let, where each expression sees all variables."
    (syntax-case form ()
      ((_ (binding ...) body ...)
       (with-syntax ((((formals expression) ...) (map formals+expression #'(binding ...))))
         #'(let ()
             (define-values formals expression) ...
             (let () body ...)))))))

(define (uncons pair)
  "The car and the cdr of PAIR."
  (values (car pair) (cdr pair)))

(define (unlist list)
  "The elements of LIST, as values."
  (apply values list))

(define (unvector vector)
  "The elements of VECTOR, as values."
  (apply values (vector->list vector)))

(define-syntax-rule (values->list expression)
  "The values of the expression, in a list."
  (call-with-values (lambda () expression) list))

(define-syntax-rule (values->vector expression)
  "The values of the expression, in a vector."
  (call-with-values (lambda () expression) vector))
