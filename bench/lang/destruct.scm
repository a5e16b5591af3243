;; Lists that are changed in place.
(define (append-to-tail! x y)
  (if (null? x)
      y
      (let loop ((a x) (b (cdr x)))
        (if (null? b)
            (begin (set-cdr! a y) x)
            (loop b (cdr b))))))

(define (numbers n)
  (let loop ((i n) (result '()))
    (if (= i 0) result (loop (- i 1) (cons i result)))))

(define (reverse-in-place! items)
  (let loop ((items items) (result '()))
    (if (null? items)
        result
        (let ((next (cdr items)))
          (set-cdr! items result)
          (loop next items)))))

(define (run)
  (let loop ((i 0) (items (numbers 10)) (total 0))
    (if (= i 2000)
        total
        (let ((longer (append-to-tail! items (numbers 5))))
          (set-car! longer i)
          (loop (+ i 1)
                (list-head (reverse-in-place! longer) 10)
                (+ total (car longer)))))))

(define (list-head items n)
  (if (= n 0) '() (cons (car items) (list-head (cdr items) (- n 1)))))
