;; Merge sort of a list, with the order as a parameter; a linear congruential generator.
(define (numbers n)
  (let loop ((i 0) (seed 42) (result '()))
    (if (= i n)
        result
        (let ((next (modulo (+ (* seed 1103515245) 12345) 2147483648)))
          (loop (+ i 1) next (cons next result))))))

(define (merge a b less?)
  (let loop ((a a) (b b) (result '()))
    (cond ((null? a) (append (reverse result) b))
          ((null? b) (append (reverse result) a))
          ((less? (car b) (car a)) (loop a (cdr b) (cons (car b) result)))
          (else (loop (cdr a) b (cons (car a) result))))))

(define (merge-sort items less?)
  (define (sort-first n items)
    (if (= n 1)
        (list (car items))
        (let ((half (quotient n 2)))
          (merge (sort-first half items)
                 (sort-first (- n half) (list-tail items half))
                 less?))))
  (if (null? items) '() (sort-first (length items) items)))

(define (run)
  (let ((sorted (merge-sort (numbers 3000) (lambda (a b) (< a b)))))
    (list-ref sorted 1500)))
