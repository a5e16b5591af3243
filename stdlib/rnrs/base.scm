;;; (rnrs base): what R6RS calls otherwise than the core, which has the rest (R6RS, 11).

(define-module (rnrs base)
  #:export (div mod div-and-mod div0 mod0 div0-and-mod0 real-valued? rational-valued?
            integer-valued?)
  #:re-export (assertion-violation exact-integer-sqrt boolean=? symbol=? vector-map
               vector-for-each string-for-each call/cc))

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
