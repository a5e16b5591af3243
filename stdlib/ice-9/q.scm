;;; (ice-9 q): queues. A queue is a pair of a list and that list's last pair.

(define-module (ice-9 q)
  #:export (make-q q? q-empty? q-empty-check q-front q-rear q-remove! q-push! enq! q-pop! deq!
            q-length sync-q!))

(define (sync-q! q)
  "Put the second half of Q right after its list has been changed."
  (set-cdr! q (and (pair? (car q)) (last-pair (car q))))
  q)

(define (make-q)
  "An empty queue."
  (cons '() #f))

(define (q? obj)
  "Is OBJ a queue?"
  (and (pair? obj)
       (if (pair? (car obj))
           (eq? (cdr obj) (last-pair (car obj)))
           (and (null? (car obj)) (not (cdr obj))))))

(define (q-empty? q)
  "Is there nothing in Q?"
  (null? (car q)))

(define (q-empty-check q)
  "Complain if there is nothing in Q."
  (when (q-empty? q)
    (throw 'q-empty q)))

(define (q-front q)
  "What came first into Q."
  (q-empty-check q)
  (caar q))

(define (q-rear q)
  "What came last into Q."
  (q-empty-check q)
  (cadr q))

(define (q-remove! q obj)
  "Take all that is OBJ out of Q."
  (set-car! q (delq! obj (car q)))
  (sync-q! q))

(define (q-push! q obj)
  "Put OBJ in front of Q."
  (set-car! q (cons obj (car q)))
  (sync-q! q))

(define (enq! q obj)
  "Put OBJ at the end of Q."
  (let ((last (list obj)))
    (if (null? (car q))
        (set-car! q last)
        (set-cdr! (cdr q) last))
    (set-cdr! q last)
    q))

(define (deq! q)
  "Take out what came first into Q."
  (let ((first (q-front q)))
    (set-car! q (cdar q))
    (unless (pair? (car q))
      (set-cdr! q #f))
    first))

(define q-pop! deq!)

(define (q-length q)
  "How many objects are in Q."
  (length (car q)))
