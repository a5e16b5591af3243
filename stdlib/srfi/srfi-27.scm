;;; (srfi srfi-27): sources of random numbers. A source's numbers follow from its state alone
;;; (the generator is SplitMix64), so that all of this is pure but random-source-randomize!.

(define-module (srfi srfi-27)
  #:use-module (kiln stages)
  #:use-module (srfi srfi-9)
  #:export (random-integer random-real default-random-source
            make-random-source random-source? random-source-state-ref random-source-state-set!
            random-source-randomize! random-source-pseudo-randomize!
            random-source-make-integers random-source-make-reals))

(define-record-type <random-source>
  (%make-source state)
  random-source?
  (state source-state set-source-state!))       ; an integer of 64 bits

(define word (expt 2 64))

(define (scramble state)
  "The 64 bits that STATE gives."
  (define (step z shift factor)
    (modulo (* (logxor z (ash z (- shift))) factor) word))
  (let ((z (step (step state 30 #xBF58476D1CE4E5B9) 27 #x94D049BB133111EB)))
    (logxor z (ash z -31))))

(define (next-word! source)
  (let ((state (modulo (+ (source-state source) #x9E3779B97F4A7C15) word)))
    (set-source-state! source state)
    (scramble state)))

(define (next-below! source n)
  "A number below N: as many words as N has, again if they are in the last, incomplete run of N."
  (let loop ((range 1) (value 0))
    (if (< range n)
        (loop (* range word) (+ (* value word) (next-word! source)))
        (if (< value (- range (modulo range n)))
            (modulo value n)
            (loop 1 0)))))

(define (make-random-source)
  "A source in the state in which all of them start."
  (%make-source 0))

(define (random-source-state-ref source)
  "The state of SOURCE: a datum that can be written and read."
  (list 'splitmix64 (source-state source)))

(define (random-source-state-set! source state)
  (unless (and (list? state) (= (length state) 2) (eq? (car state) 'splitmix64)
               (exact-integer? (cadr state)))
    (error "not a state of a random source:" state))
  (set-source-state! source (modulo (cadr state) word)))

(define-staged (random-source-randomize! source)
  "Put SOURCE into a state that nobody can foretell."
  (set-source-state! source (random word (random-state-from-platform))))

(define (random-source-pseudo-randomize! source i j)
  "Put SOURCE into the state number I, J."
  (set-source-state! source (scramble (modulo (+ (* i #x9E3779B97F4A7C15) (scramble j) 1) word))))

(define (random-source-make-integers source)
  "A procedure of N that gives an integer from 0 below N."
  (lambda (n)
    (unless (and (exact-integer? n) (> n 0))
      (error "random-integer: a positive exact integer is expected, not" n))
    (next-below! source n)))

(define* (random-source-make-reals source #:optional unit)
  "A procedure that gives a real number between 0 and 1; UNIT says how fine they are to lie."
  (if (and unit (exact? unit))
      (let ((steps (- (ceiling (/ unit)) 1)))
        (lambda () (/ (+ (next-below! source steps) 1) (+ steps 1))))
      (lambda () (/ (+ (ash (next-word! source) -12) 0.5) (expt 2. 52)))))

(define default-random-source (make-random-source))
(define random-integer (random-source-make-integers default-random-source))
(define random-real (random-source-make-reals default-random-source))
