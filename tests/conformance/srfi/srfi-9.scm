;;; SRFI 9: records.
(use-modules (srfi srfi-64) (srfi srfi-9))
(test-begin "srfi-9")
(define-record-type <point>
  (make-point x y)
  point?
  (x point-x set-point-x!)
  (y point-y)
  (note point-note set-point-note!))
(define p (make-point 1 2))
(test-equal '(1 2) (list (point-x p) (point-y p)))
(test-equal '(#t #f #f) (map point? (list p 1 '(1 2))))
(test-equal 5 (let ((p (make-point 1 2))) (set-point-x! p 5) (point-x p)))
(test-equal 'n (begin (set-point-note! p 'n) (point-note p)))
(test-error (point-x 1))
(test-error (apply make-point (list 1)))
(test-end "srfi-9")
