;;; (ice-9 list): association lists by their values.

(define-module (ice-9 list)
  #:export (rassoc rassv rassq))

(define (by same?)
  (lambda (value alist)
    (let loop ((rest alist))
      (cond ((null? rest) #f)
            ((same? (cdar rest) value) (car rest))
            (else (loop (cdr rest)))))))

;; The first entry whose value is equal? to VALUE.
(define rassoc (by equal?))
;; The first entry whose value is eqv? to VALUE.
(define rassv (by eqv?))
;; The first entry whose value is eq? to VALUE.
(define rassq (by eq?))
