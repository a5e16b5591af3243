;;; (ice-9 optargs): optional and keyword arguments out of lists; lambda* and define* are the core's.

(define-module (ice-9 optargs)
  #:export (let-keywords let-keywords* defmacro* defmacro*-public)
  #:re-export (lambda* define* define*-public))

(define-syntax let-keywords
  (lambda (form)
    "(let-keywords list others? (name (name default) ...) body ...): variables from the keywords of
a list; unless others? is #t it may have no others. Defaults do not see the variables."
    (syntax-case form ()
      ((_ list others? (binding ...) body ...)
       (with-syntax ((((name default) ...) (map with-default #'(binding ...)))
                     ((delayed ...) (generate-temporaries #'(binding ...))))
         #'(let ((delayed (lambda () default)) ...)
             (let-keywords* list others? ((name (delayed)) ...) body ...)))))))

(define-syntax let-keywords*
  (lambda (form)
    "As let-keywords, but each default sees the variables before it."
    (syntax-case form ()
      ((_ list others? (binding ...) body ...)
       (if (syntax->datum #'others?)
           #'(apply (lambda* (#:key binding ... #:allow-other-keys) body ...) list)
           #'(apply (lambda* (#:key binding ...) body ...) list))))))

(eval-when (expand load eval)
  (define (with-default binding)
    (syntax-case binding ()
      ((name default) #'(name default))
      (name #'(name #f)))))

(define-syntax-rule (defmacro* name formals body ...)
  "A macro without hygiene, whose operands are as lambda* takes its arguments."
  (define-macro name (lambda* formals body ...)))

(define-syntax-rule (defmacro*-public name formals body ...)
  "A macro as defmacro* makes it, exported."
  (begin
    (defmacro* name formals body ...)
    (export name)))
