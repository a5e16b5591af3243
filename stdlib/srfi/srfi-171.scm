;;; (srfi srfi-171): transducers.

(define-module (srfi srfi-171)
  #:use-module (srfi srfi-9)
  #:use-module (rnrs bytevectors)
  #:export (rcons reverse-rcons rcount rany revery
            list-transduce vector-transduce string-transduce
            port-transduce bytevector-u8-transduce generator-transduce
            tmap tfilter tremove tfilter-map treplace tdrop tdrop-while
            ttake ttake-while tconcatenate tappend-map tdelete-neighbor-duplicates
            tdelete-duplicates tflatten tsegment tpartition tadd-between
            tenumerate tlog
            reduced reduced? unreduce ensure-reduced))

;; A reducer is called with no argument for its identity, with a result to complete it, and with a
;; result and an element. A result that it wants to be the last one is wrapped in <reduced>.

(define-record-type <reduced>
  (reduced value)
  reduced?
  (value unreduce))

(define (ensure-reduced x)
  (if (reduced? x) x (reduced x)))

(define rcons
  (case-lambda
    (() '())
    ((result) (reverse! result))
    ((result item) (cons item result))))

(define reverse-rcons
  (case-lambda
    (() '())
    ((result) result)
    ((result item) (cons item result))))

(define rcount
  (case-lambda
    (() 0)
    ((result) result)
    ((result item) (+ result 1))))

(define (rany pred)
  (case-lambda
    (() #f)
    ((result) result)
    ((result item)
     (let ((found (pred item)))
       (if found (reduced found) #f)))))

(define (revery pred)
  (case-lambda
    (() #t)
    ((result) result)
    ((result item)
     (let ((found (and result (pred item))))
       (if found found (reduced #f))))))

(define (list-reduce reducer result items)
  (if (null? items)
      result
      (let ((next (reducer result (car items))))
        (if (reduced? next)
            (unreduce next)
            (list-reduce reducer next (cdr items))))))

(define list-transduce
  (case-lambda
    ((xform reducer items)
     (list-transduce xform reducer (reducer) items))
    ((xform reducer initial items)
     (let ((through (xform reducer)))
       (through (list-reduce through initial items))))))

(define (vector-transduce xform reducer . rest)
  (apply list-transduce xform reducer (list-with-last rest vector->list)))

(define (string-transduce xform reducer . rest)
  (apply list-transduce xform reducer (list-with-last rest string->list)))

(define (bytevector-u8-transduce xform reducer . rest)
  "Reduce the bytes of a bytevector, the last argument, by REDUCER as XFORM makes it."
  (apply list-transduce xform reducer (list-with-last rest bytevector->u8-list)))

(define generator-transduce
  (case-lambda
    ((xform reducer generator)
     (generator-transduce xform reducer (reducer) generator))
    ((xform reducer seed generator)
     (port-transduce xform reducer seed (lambda (port) (generator)) #f))))

(define (list-with-last items convert)
  (if (null? (cdr items))
      (list (convert (car items)))
      (cons (car items) (list-with-last (cdr items) convert))))

(define port-transduce
  (case-lambda
    ((xform reducer by)
     (port-transduce xform reducer (reducer) by (current-input-port)))
    ((xform reducer by port)
     (port-transduce xform reducer (reducer) by port))
    ((xform reducer initial by port)
     (let ((through (xform reducer)))
       (let loop ((result initial) (item (by port)))
         (if (eof-object? item)
             (through result)
             (let ((next (through result item)))
               (if (reduced? next)
                   (through (unreduce next))
                   (loop next (by port))))))))))

;; A transducer that does STEP (a procedure of reducer, result and element) with each element.
(define-syntax-rule (stateless (reducer result item) step)
  (lambda (reducer)
    (case-lambda
      (() (reducer))
      ((result) (reducer result))
      ((result item) step))))

(define (tmap f)
  (stateless (reducer result item) (reducer result (f item))))

(define (tfilter pred)
  (stateless (reducer result item)
             (if (pred item) (reducer result item) result)))

(define (tremove pred)
  (stateless (reducer result item)
             (if (pred item) result (reducer result item))))

(define (tfilter-map f)
  (stateless (reducer result item)
             (let ((value (f item)))
               (if value (reducer result value) result))))

(define (treplace mapping)
  (tmap (cond ((procedure? mapping) mapping)
              ((hash-table? mapping)
               (lambda (item) (hash-ref mapping item item)))
              (else
               (lambda (item)
                 (let ((entry (assoc item mapping)))
                   (if entry (cdr entry) item)))))))

(define (tdrop n)
  (lambda (reducer)
    (let ((left n))
      (case-lambda
        (() (reducer))
        ((result) (reducer result))
        ((result item)
         (if (> left 0)
             (begin (set! left (- left 1)) result)
             (reducer result item)))))))

(define (tdrop-while pred)
  (lambda (reducer)
    (let ((dropping #t))
      (case-lambda
        (() (reducer))
        ((result) (reducer result))
        ((result item)
         (if (and dropping (pred item))
             result
             (begin (set! dropping #f) (reducer result item))))))))

(define (ttake n)
  (lambda (reducer)
    (let ((left n))
      (case-lambda
        (() (reducer))
        ((result) (reducer result))
        ((result item)
         (set! left (- left 1))
         (cond ((> left 0) (reducer result item))
               ((= left 0) (ensure-reduced (reducer result item)))
               (else (ensure-reduced result))))))))

(define* (ttake-while pred #:optional (return (lambda (result item) result)))
  (lambda (reducer)
    (let ((taking #t))
      (case-lambda
        (() (reducer))
        ((result) (reducer result))
        ((result item)
         (if (and taking (pred item))
             (reducer result item)
             (begin (set! taking #f)
                    (ensure-reduced (return result item)))))))))

(define (tconcatenate reducer)
  (define (preserving result item)
    (let ((next (reducer result item)))
      (if (reduced? next) (reduced next) next)))
  (case-lambda
    (() (reducer))
    ((result) (reducer result))
    ((result items) (list-reduce preserving result items))))

(define (tappend-map f)
  (compose (tmap f) tconcatenate))

(define tflatten
  (lambda (reducer)
    (define (add result item)
      (if (list? item)
          (let loop ((result result) (items item))
            (if (or (reduced? result) (null? items))
                result
                (loop (add result (car items)) (cdr items))))
          (reducer result item)))
    (case-lambda
      (() (reducer))
      ((result) (reducer result))
      ((result item) (add result item)))))

(define* (tdelete-neighbor-duplicates #:optional (same? equal?))
  (lambda (reducer)
    (let ((any? #f) (previous #f))
      (case-lambda
        (() (reducer))
        ((result) (reducer result))
        ((result item)
         (if (and any? (same? previous item))
             result
             (begin (set! any? #t)
                    (set! previous item)
                    (reducer result item))))))))

(define* (tdelete-duplicates #:optional (same? equal?))
  (lambda (reducer)
    (let ((seen '()))
      (case-lambda
        (() (reducer))
        ((result) (reducer result))
        ((result item)
         (if (member item seen same?)
             result
             (begin (set! seen (cons item seen))
                    (reducer result item))))))))

;; What tsegment and tpartition share: elements are gathered in a group until DONE? (a procedure of
;; the group, newest first, and the next element) says that the next one starts another.
(define (grouping done?)
  (lambda (reducer)
    (let ((group '()))
      (case-lambda
        (() (reducer))
        ((result)
         (let ((last (if (null? group)
                         result
                         (let ((next (reducer result (reverse group))))
                           (if (reduced? next) (unreduce next) next)))))
           (set! group '())
           (reducer last)))
        ((result item)
         (if (and (pair? group) (done? group item))
             (let ((complete (reverse group)))
               (set! group (list item))
               (reducer result complete))
             (begin (set! group (cons item group))
                    result)))))))

(define (tsegment n)
  (grouping (lambda (group item) (= (length group) n))))

(define (tpartition f)
  (grouping (lambda (group item) (not (equal? (f (car group)) (f item))))))

(define (tadd-between separator)
  (lambda (reducer)
    (let ((first? #t))
      (case-lambda
        (() (reducer))
        ((result) (reducer result))
        ((result item)
         (if first?
             (begin (set! first? #f) (reducer result item))
             (let ((next (reducer result separator)))
               (if (reduced? next) next (reducer next item)))))))))

(define* (tenumerate #:optional (n 0))
  (lambda (reducer)
    (let ((n n))
      (case-lambda
        (() (reducer))
        ((result) (reducer result))
        ((result item)
         (let ((numbered (cons n item)))
           (set! n (+ n 1))
           (reducer result numbered)))))))

(define* (tlog #:optional (logger (lambda (result item) (write item) (newline))))
  (stateless (reducer result item)
             (begin (logger result item)
                    (reducer result item))))
