;; Lists, built and searched.
(define (queens board-size)
  (define (attacks? row distance placed)
    (and (pair? placed)
         (or (= (car placed) row)
             (= (car placed) (+ row distance))
             (= (car placed) (- row distance))
             (attacks? row (+ distance 1) (cdr placed)))))
  (define (place column placed)
    (if (= column board-size)
        1
        (let loop ((row 0) (count 0))
          (if (= row board-size)
              count
              (loop (+ row 1)
                    (if (attacks? row 1 placed)
                        count
                        (+ count (place (+ column 1) (cons row placed)))))))))
  (place 0 '()))
(define (run) (queens 8))
