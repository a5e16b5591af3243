;;; (ice-9 threads): one thread runs a program. What asks for work to be done in parallel does it
;;; in order; what guards against other threads has nothing to guard against.

(define-module (ice-9 threads)
  #:use-module (srfi srfi-9)
  #:export (parallel letpar par-map par-for-each n-par-map n-par-for-each
            make-mutex make-recursive-mutex mutex? mutex-locked?
            lock-mutex try-mutex unlock-mutex with-mutex monitor)
  #:re-export (current-processor-count total-processor-count))

(define-syntax-rule (parallel expression ...)
  "The values of EXPRESSION ..., as multiple values."
  (values expression ...))

(define-syntax-rule (letpar ((name expression) ...) body ...)
  "let."
  (let ((name expression) ...) body ...))

(define par-map map)
(define par-for-each for-each)

(define (n-par-map n procedure . lists)
  "map, with at most N applications at a time."
  (apply map procedure lists))

(define (n-par-for-each n procedure . lists)
  "for-each, with at most N applications at a time."
  (apply for-each procedure lists))

;; COUNT is how often the mutex was locked and not unlocked since.
(define-record-type <mutex>
  (%make-mutex name recursive? count)
  mutex?
  (name mutex-name)
  (recursive? mutex-recursive?)
  (count mutex-count set-mutex-count!))

(define* (make-mutex #:optional name #:rest options)
  "An unlocked mutex."
  (%make-mutex name #f 0))

(define (make-recursive-mutex)
  "An unlocked mutex that can be locked several times."
  (%make-mutex #f #t 0))

(define (mutex-locked? mutex)
  "Is MUTEX locked?"
  (> (mutex-count mutex) 0))

(define* (try-mutex mutex)
  "Lock MUTEX and return #t, or #f if it is locked."
  (and (or (mutex-recursive? mutex) (not (mutex-locked? mutex)))
       (begin (set-mutex-count! mutex (+ (mutex-count mutex) 1)) #t)))

(define* (lock-mutex mutex #:optional timeout)
  "Lock MUTEX. No other thread could unlock it, so that a locked one is an error."
  (or (try-mutex mutex)
      (error "the mutex is locked already and nothing would ever unlock it:" mutex)))

(define (unlock-mutex mutex)
  "Unlock MUTEX, which must be locked."
  (unless (mutex-locked? mutex)
    (error "the mutex is not locked:" mutex))
  (set-mutex-count! mutex (- (mutex-count mutex) 1))
  #t)

(define-syntax-rule (with-mutex mutex body ...)
  "Evaluate BODY with MUTEX locked."
  (let ((locked mutex))
    (dynamic-wind
      (lambda () (lock-mutex locked))
      (lambda () body ...)
      (lambda () (unlock-mutex locked)))))

(define-syntax-rule (monitor body ...)
  "Evaluate BODY, in one thread at a time."
  (begin body ...))
