;; A sieve in a vector, then one of lists.
(define (sieve n)
  (let ((composite (make-vector (+ n 1) #f)))
    (let outer ((i 2) (count 0))
      (if (> i n)
          count
          (if (vector-ref composite i)
              (outer (+ i 1) count)
              (let inner ((j (* i i)))
                (if (<= j n)
                    (begin
                      (vector-set! composite j #t)
                      (inner (+ j i)))
                    (outer (+ i 1) (+ count 1)))))))))

(define (interval low high)
  (if (> low high) '() (cons low (interval (+ low 1) high))))

(define (remove-multiples n items)
  (cond ((null? items) '())
        ((= (remainder (car items) n) 0) (remove-multiples n (cdr items)))
        (else (cons (car items) (remove-multiples n (cdr items))))))

(define (list-sieve items)
  (if (null? items)
      '()
      (cons (car items) (list-sieve (remove-multiples (car items) (cdr items))))))

(define (run) (+ (sieve 50000) (length (list-sieve (interval 2 800)))))
