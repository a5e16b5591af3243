;; tak in continuation-passing style: closures, and calls of them in tail position.
(define (cpstak x y z)
  (define (tak x y z k)
    (if (< y x)
        (tak (- x 1) y z
             (lambda (v1)
               (tak (- y 1) z x
                    (lambda (v2)
                      (tak (- z 1) x y
                           (lambda (v3)
                             (tak v1 v2 v3 k)))))))
        (k z)))
  (tak x y z (lambda (a) a)))
(define (run) (cpstak 14 8 3))
