;; A loop of a million turns, then mutual tail calls.
(define (even1? n) (if (= n 0) #t (odd1? (- n 1))))
(define (odd1? n) (if (= n 0) #f (even1? (- n 1))))
(define (run)
  (let loop ((i 0) (sum 0))
    (if (= i 300000)
        (if (even1? 100000) sum 0)
        (loop (+ i 1) (+ sum i)))))
