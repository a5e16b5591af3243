;;; (rnrs arithmetic bitwise): exact integers as rows of bits (R6RS Libraries, 11.4).

(define-module (rnrs arithmetic bitwise)
  #:use-module ((srfi srfi-60) #:select (bitwise-if bit-field reverse-bit-field
                                         (copy-bit . set-bit) (copy-bit-field . put-field)
                                         (rotate-bit-field . turn-field)))
  #:export (bitwise-bit-count bitwise-first-bit-set bitwise-bit-set? bitwise-copy-bit
            bitwise-copy-bit-field bitwise-arithmetic-shift-right bitwise-rotate-bit-field)
  #:re-export ((lognot . bitwise-not) (logand . bitwise-and) (logior . bitwise-ior)
               (logxor . bitwise-xor) bitwise-if (integer-length . bitwise-length)
               (bit-field . bitwise-bit-field) (ash . bitwise-arithmetic-shift)
               (ash . bitwise-arithmetic-shift-left)
               (reverse-bit-field . bitwise-reverse-bit-field)))

(define (bitwise-bit-count n)
  "How many bits of N are 1; of a negative N, -1 minus how many are 0."
  (if (negative? n) (lognot (logcount n)) (logcount n)))

(define (bitwise-first-bit-set n)
  "The number of the least bit of N that is 1, or -1."
  (if (zero? n) -1 (- (integer-length (logand n (- n))) 1)))

(define (bitwise-bit-set? n index)
  "Is bit INDEX of N 1?"
  (logbit? index n))

(define (bitwise-copy-bit n index bit)
  "N with BIT, 0 or 1, as its bit INDEX."
  (set-bit index n (= bit 1)))

(define (bitwise-copy-bit-field n start end from)
  "N with the low bits of FROM as its bits from START up to END."
  (put-field n from start end))

(define (bitwise-arithmetic-shift-right n count)
  "N divided by 2^COUNT, rounded down."
  (ash n (- count)))

(define (bitwise-rotate-bit-field n start end count)
  "N with its bits from START up to END turned left by COUNT."
  (turn-field n count start end))
