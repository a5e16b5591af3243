;;; (rnrs base): R6RS's own names beside those of the core (R6RS, 11).

(define-module (rnrs base)
  #:use-module (srfi srfi-11)
  #:use-module ((rnrs conditions)
                #:select (condition make-error make-who-condition make-message-condition
                          make-irritants-condition))
  #:export
  (div mod div-and-mod div0 mod0 div0-and-mod0 real-valued? rational-valued? integer-valued? error)
  #:re-export
  (* + - ... / < <= = => > >= _ abs acos and angle append apply asin assert assertion-violation
   atan begin boolean=? boolean? caaaar caaadr caaar caadar caaddr caadr caar cadaar cadadr cadar
   caddar cadddr caddr cadr call-with-current-continuation call-with-values call/cc car case cdaaar
   cdaadr cdaar cdadar cdaddr cdadr cdar cddaar cddadr cddar cdddar cddddr cdddr cddr cdr ceiling
   char->integer char<=? char<? char=? char>=? char>? char? complex? cond cons cos define
   define-syntax denominator dynamic-wind else eq? equal? eqv? even? exact exact-integer-sqrt
   exact? exp expt finite? floor for-each gcd identifier-syntax if imag-part inexact inexact?
   infinite? integer->char integer? lambda lcm length let let* let*-values let-syntax let-values
   letrec letrec* letrec-syntax list list->string list->vector list-ref list-tail list? log
   magnitude make-polar make-rectangular make-string make-vector map max min nan? negative? not
   null? number->string number? numerator odd? or pair? positive? procedure? quasiquote quote
   rational? rationalize real-part real? reverse round set! sin sqrt string string->list
   string->number string->symbol string-append string-copy string-for-each string-length string-ref
   string<=? string<? string=? string>=? string>? string? substring symbol->string symbol=? symbol?
   syntax-rules tan truncate unquote unquote-splicing values vector vector->list vector-fill!
   vector-for-each vector-length vector-map vector-ref vector-set! vector? zero?))

(define (div a b)
  "The integer quotient of A and B whose rest is not negative."
  (euclidean-quotient a b))

(define (mod a b)
  "What is left of A over multiples of B, not negative."
  (euclidean-remainder a b))

(define (div-and-mod a b)
  "Both div and mod of A and B."
  (euclidean/ a b))

(define (div0 a b)
  "The integer quotient of A and B whose rest is next to 0."
  (centered-quotient a b))

(define (mod0 a b)
  "What is left of A over multiples of B, from minus half of B on, and less than half of it."
  (centered-remainder a b))

(define (div0-and-mod0 a b)
  "Both div0 and mod0 of A and B."
  (centered/ a b))

(define (real-valued? obj)
  "Is OBJ a number whose imaginary part is 0?"
  (and (number? obj) (zero? (imag-part obj))))

(define (rational-valued? obj)
  "Is OBJ a number that is finite, with an imaginary part of 0?"
  (and (real-valued? obj) (rational? (real-part obj))))

(define (integer-valued? obj)
  "Is OBJ a number that is an integer, with an imaginary part of 0?"
  (and (rational-valued? obj) (integer? (real-part obj))))

(define (error who message . irritants)
  "Raise an &error with MESSAGE and IRRITANTS, of the procedure that WHO names, or #f."
  (let ((told (list (make-message-condition message) (make-irritants-condition irritants))))
    (raise (apply condition (make-error)
                  (if who (cons (make-who-condition who) told) told)))))
