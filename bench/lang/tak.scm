;; Calls of three arguments, one of them in tail position.
(define (tak x y z)
  (if (< y x)
      (tak (tak (- x 1) y z) (tak (- y 1) z x) (tak (- z 1) x y))
      z))
(define (run) (tak 18 12 6))
