;;; (rnrs arithmetic fixnums): exact integers of 62 bits (R6RS Libraries, 11.2).

(define-module (rnrs arithmetic fixnums)
  #:use-module ((rnrs base) #:select (div mod div-and-mod div0 mod0 div0-and-mod0))
  #:use-module ((rnrs conditions)
                #:select (condition make-implementation-restriction-violation make-who-condition
                          make-message-condition make-irritants-condition))
  #:use-module (rnrs arithmetic bitwise)
  #:use-module (rnrs arithmetic checks)
  #:export (fixnum? fixnum-width least-fixnum greatest-fixnum
            fx=? fx>? fx<? fx>=? fx<=? fxzero? fxpositive? fxnegative? fxodd? fxeven? fxmax fxmin
            fx+ fx* fx- fxdiv-and-mod fxdiv fxmod fxdiv0-and-mod0 fxdiv0 fxmod0
            fx+/carry fx-/carry fx*/carry fxnot fxand fxior fxxor fxif fxbit-count fxlength
            fxfirst-bit-set fxbit-set? fxcopy-bit fxbit-field fxcopy-bit-field fxarithmetic-shift
            fxarithmetic-shift-left fxarithmetic-shift-right fxrotate-bit-field
            fxreverse-bit-field))

(define width 62)
(define modulus (expt 2 width))
(define bound (expt 2 (- width 1)))

(define (fixnum-width)
  "How many bits a fixnum has."
  width)

(define (least-fixnum)
  "The least integer that is a fixnum."
  (- bound))

(define (greatest-fixnum)
  "The greatest integer that is a fixnum."
  (- bound 1))

(define (fixnum? obj)
  "Is OBJ an exact integer from (least-fixnum) to (greatest-fixnum)?"
  (and (exact-integer? obj) (<= (- bound) obj (- bound 1))))

(define (fixnums who numbers)
  "NUMBERS, if all of them are fixnums."
  (checked fixnum? "fixnum" who numbers))

(define (fitting who result numbers)
  "RESULT, if it is a fixnum or no number."
  (if (and (number? result) (not (fixnum? result)))
      (raise (condition (make-implementation-restriction-violation)
                        (make-who-condition who)
                        (make-message-condition "the result is no fixnum")
                        (make-irritants-condition numbers)))
      result))

(define-syntax-rule (define-operations (list-of parameter ...) (name operation) ...)
  (begin
    (define (name parameter ...)
      "The operation of that name without fx, on fixnums."
      (let ((numbers (fixnums 'name (list-of parameter ...))))
        (call-with-values (lambda () (apply operation numbers))
          (lambda results
            (apply values (map (lambda (result) (fitting 'name result numbers)) results))))))
    ...))

(define-syntax-rule (define-any-number-of-operands minimum (name operation) ...)
  (begin
    (define (name . numbers)
      "The operation of that name without fx, on fixnums."
      (when (< (length numbers) minimum)
        (assertion-violation 'name "too few fixnums are given" numbers))
      (fitting 'name (apply operation (fixnums 'name numbers)) numbers))
    ...))

(define-any-number-of-operands 2 (fx=? =) (fx>? >) (fx<? <) (fx>=? >=) (fx<=? <=))
(define-any-number-of-operands 1 (fxmax max) (fxmin min))
(define-any-number-of-operands 0 (fxand logand) (fxior logior) (fxxor logxor))

(define-operations (list n)
  (fxzero? zero?) (fxpositive? positive?) (fxnegative? negative?) (fxodd? odd?) (fxeven? even?)
  (fxnot lognot) (fxbit-count bitwise-bit-count) (fxlength integer-length)
  (fxfirst-bit-set bitwise-first-bit-set))

(define-operations (list a b)
  (fx+ +) (fx* *) (fxdiv-and-mod div-and-mod) (fxdiv div) (fxmod mod)
  (fxdiv0-and-mod0 div0-and-mod0) (fxdiv0 div0) (fxmod0 mod0)
  (fxbit-set? bitwise-bit-set?) (fxarithmetic-shift ash) (fxarithmetic-shift-left ash)
  (fxarithmetic-shift-right bitwise-arithmetic-shift-right))

(define-operations (list a b c)
  (fxif bitwise-if) (fxcopy-bit bitwise-copy-bit) (fxbit-field bitwise-bit-field)
  (fxreverse-bit-field bitwise-reverse-bit-field)
  (fx+/carry (lambda (a b c) (carried (+ a b c))))
  (fx-/carry (lambda (a b c) (carried (- a b c))))
  (fx*/carry (lambda (a b c) (carried (+ (* a b) c)))))

(define-operations (list a b c d)
  (fxcopy-bit-field bitwise-copy-bit-field) (fxrotate-bit-field bitwise-rotate-bit-field))

(define* (fx- a #:optional b)
  "A less B, or less than 0 by A, on fixnums."
  (let ((numbers (fixnums 'fx- (if b (list a b) (list a)))))
    (fitting 'fx- (apply - numbers) numbers)))

(define (carried number)
  "NUMBER without what does not fit, and the rest."
  (values (mod0 number modulus) (div0 number modulus)))
