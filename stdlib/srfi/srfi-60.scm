;;; (srfi srfi-60): exact integers as strings of bits.

(define-module (srfi srfi-60)
  #:use-module (srfi srfi-1)
  #:export (bitwise-and bitwise-ior bitwise-xor bitwise-not bitwise-merge
            bitwise-if any-bits-set? bit-count bit-set? copy-bit bit-field
            copy-bit-field arithmetic-shift rotate-bit-field
            reverse-bit-field integer->list list->integer
            booleans->integer first-set-bit log2-binary-factors)
  #:re-export (logand logior logxor lognot logtest logcount logbit?
               integer-length ash))

(define bitwise-and logand)
(define bitwise-ior logior)
(define bitwise-xor logxor)
(define bitwise-not lognot)
(define any-bits-set? logtest)
(define bit-set? logbit?)
(define arithmetic-shift ash)
(define bit-count logcount)

(define (bitwise-merge mask a b)
  "The bits of A where MASK has a one, and of B elsewhere."
  (logior (logand mask a) (logand (lognot mask) b)))

(define bitwise-if bitwise-merge)

(define (mask width)
  (- (ash 1 width) 1))

(define (copy-bit index n bit?)
  "N with bit INDEX set if BIT?, else cleared."
  (if bit?
      (logior n (ash 1 index))
      (logand n (lognot (ash 1 index)))))

(define (bit-field n start end)
  "The bits of N from START on, up to END."
  (logand (ash n (- start)) (mask (- end start))))

(define (copy-bit-field to from start end)
  "TO with its bits from START to END replaced by the lowest ones of FROM."
  (bitwise-merge (ash (mask (- end start)) start) (ash from start) to))

(define (rotate-bit-field n count start end)
  "N with its bits from START to END rotated to the left by COUNT."
  (let ((width (- end start)))
    (if (zero? width)
        n
        (let* ((count (modulo count width))
               (field (bit-field n start end)))
          (copy-bit-field n
                          (logior (ash field count)
                                  (ash field (- count width)))
                          start end)))))

(define (reverse-bit-field n start end)
  "N with its bits from START to END in reverse order."
  (copy-bit-field n
                  (list->integer (reverse (integer->list (bit-field n start end)
                                                         (- end start))))
                  start end))

(define* (integer->list n #:optional (length (integer-length n)))
  "The lowest LENGTH bits of N as booleans, the highest first."
  (map (lambda (index) (logbit? index n))
       (iota length (- length 1) -1)))

(define (list->integer bits)
  "The integer whose bits are the booleans BITS, the highest first."
  (fold (lambda (bit n) (+ n n (if bit 1 0))) 0 bits))

(define (booleans->integer . bits)
  "The integer whose bits are the booleans BITS, the highest first."
  (list->integer bits))

(define (first-set-bit n)
  "The number of the lowest bit of N that is set, or -1."
  (- (integer-length (logand n (- n))) 1))

(define log2-binary-factors first-set-bit)
