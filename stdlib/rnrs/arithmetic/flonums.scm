;;; (rnrs arithmetic flonums): inexact real numbers (R6RS Libraries, 11.3).

(define-module (rnrs arithmetic flonums)
  #:use-module ((rnrs base) #:select (div mod div-and-mod div0 mod0 div0-and-mod0))
  #:use-module ((rnrs conditions) #:select (define-condition-type &implementation-restriction))
  #:use-module ((rnrs arithmetic fixnums) #:select (fixnum?))
  #:use-module (rnrs arithmetic checks)
  #:export (flonum? real->flonum fixnum->flonum
            fl=? fl<? fl<=? fl>? fl>=? flinteger? flzero? flpositive? flnegative? flodd? fleven?
            flfinite? flinfinite? flnan? flmax flmin fl+ fl* fl- fl/ flabs
            fldiv-and-mod fldiv flmod fldiv0-and-mod0 fldiv0 flmod0 flnumerator fldenominator
            flfloor flceiling fltruncate flround flexp fllog flsin flcos fltan flasin flacos flatan
            flsqrt flexpt
            &no-infinities make-no-infinities-violation no-infinities-violation?
            &no-nans make-no-nans-violation no-nans-violation?))

(define-condition-type &no-infinities &implementation-restriction
  make-no-infinities-violation no-infinities-violation?)
(define-condition-type &no-nans &implementation-restriction
  make-no-nans-violation no-nans-violation?)

(define (flonum? obj)
  "Is OBJ an inexact real number?"
  (and (real? obj) (inexact? obj)))

(define (real->flonum number)
  "The flonum next to a real NUMBER."
  (exact->inexact number))

(define (fixnum->flonum number)
  "The flonum next to NUMBER, a fixnum."
  (checked fixnum? "fixnum" 'fixnum->flonum (list number))
  (exact->inexact number))

(define (flonums who numbers)
  "NUMBERS, if all of them are flonums."
  (checked flonum? "flonum" who numbers))

(define (real-part-of result)
  "RESULT; what is no real number is no number to flonums."
  (if (and (number? result) (not (real? result))) +nan.0 result))

(define-syntax-rule (define-operations minimum maximum (name operation) ...)
  (begin
    (define (name . numbers)
      "The operation of that name without fl, on flonums."
      (unless (<= minimum (length numbers) (or maximum (length numbers)))
        (assertion-violation 'name "wrong number of flonums" numbers))
      (call-with-values (lambda () (apply operation (flonums 'name numbers)))
        (lambda results (apply values (map real-part-of results)))))
    ...))

(define-operations 2 #f (fl=? =) (fl<? <) (fl<=? <=) (fl>? >) (fl>=? >=))
(define-operations 1 #f (flmax max) (flmin min) (fl- -) (fl/ /))
(define-operations 0 #f
  (fl+ (lambda numbers (if (null? numbers) 0.0 (apply + numbers))))
  (fl* (lambda numbers (if (null? numbers) 1.0 (apply * numbers)))))
(define-operations 1 1
  (flinteger? integer?) (flzero? zero?) (flpositive? positive?) (flnegative? negative?)
  (flodd? odd?) (fleven? even?) (flfinite? finite?) (flinfinite? inf?) (flnan? nan?)
  (flabs abs) (flnumerator numerator) (fldenominator denominator)
  (flfloor floor) (flceiling ceiling) (fltruncate truncate) (flround round)
  (flexp exp) (flsin sin) (flcos cos) (fltan tan) (flasin asin) (flacos acos) (flsqrt sqrt))
(define-operations 1 2
  (flatan atan)
  (fllog (lambda* (number #:optional base)
           (if base (/ (log number) (log base)) (log number)))))
(define-operations 2 2
  (fldiv-and-mod div-and-mod) (fldiv div) (flmod mod)
  (fldiv0-and-mod0 div0-and-mod0) (fldiv0 div0) (flmod0 mod0) (flexpt expt))
