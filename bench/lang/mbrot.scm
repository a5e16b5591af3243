;; Floating point.
(define (iterations r i step x y)
  (let ((cr (+ r (* x step)))
        (ci (+ i (* y step))))
    (let loop ((zr cr) (zi ci) (count 0))
      (if (= count 64)
          count
          (let ((zr2 (* zr zr))
                (zi2 (* zi zi)))
            (if (> (+ zr2 zi2) 16.0)
                count
                (loop (+ (- zr2 zi2) cr) (+ (* 2.0 (* zr zi)) ci) (+ count 1))))))))
(define (run)
  (let rows ((y 0) (total 0))
    (if (= y 40)
        total
        (let columns ((x 0) (total total))
          (if (= x 40)
              (rows (+ y 1) total)
              (columns (+ x 1) (+ total (iterations -1.0 -0.5 0.025 x y))))))))
