;;; R7RS 6.11 Exceptions

(import (scheme base) (scheme write) (scheme read) (scheme file) (srfi 64))

(define (output-of thunk)
  (let ((port (open-output-string)))
    (let ((value (parameterize ((current-output-port port)) (thunk))))
      (list (get-output-string port) value))))

(test-begin "6.11 Exceptions")
(test-equal '("condition: an-error\n" exception)
  (output-of
   (lambda ()
     (call-with-current-continuation
      (lambda (k)
        (with-exception-handler
         (lambda (e) (display "condition: ") (write e) (newline) (k 'exception))
         (lambda () (+ 1 (raise 'an-error)))))))))
;; The handler returns from raise: a second exception is raised in the outer handler's context.
(test-equal '("something went wrong\n" secondary)
  (output-of
   (lambda ()
     (guard (c (#t 'secondary))
       (with-exception-handler
        (lambda (e) (display "something went wrong\n"))
        (lambda () (+ 1 (raise 'an-error))))))))
(test-equal '("should be a number" 65)
  (output-of
   (lambda ()
     (with-exception-handler
      (lambda (con)
        (cond ((string? con) (display con)) (else (display "a warning has been issued")))
        42)
      (lambda () (+ (raise-continuable "should be a number") 23))))))
(define (null-list? l)
  (cond ((pair? l) #f)
        ((null? l) #t)
        (else (error "null-list?: argument out of domain" l))))
(test-error error-object? (null-list? 5))
(test-equal '("null-list?: argument out of domain" (5))
  (guard (e ((error-object? e) (list (error-object-message e) (error-object-irritants e))))
    (null-list? 5)))
(test-equal '("BOOM!" (1 2 3))
  (guard (e (#t (list (error-object-message e) (error-object-irritants e)))) (error "BOOM!" 1 2 3)))
(test-eqv #f (error-object? 'a))
(test-error (error-object-message 'a))
(test-error (error-object-irritants 5))
(test-equal '("m" ()) (guard (e (#t (list (error-object-message e) (error-object-irritants e)))) (error "m")))
(test-error (raise 'x))
(test-error (raise-continuable 'x))
(test-eqv #f (guard (e (#t (error-object? e))) (raise 'a)))
(test-assert (guard (e ((error-object? e) (string? (error-object-message e)))) (car 5)))
(test-assert (guard (e ((error-object? e) (list? (error-object-irritants e)))) (vector-ref #(1) 9)))
(test-eqv #t (guard (e (#t (read-error? e))) (read (open-input-string ")"))))
(test-eqv #f (guard (e (#t (file-error? e))) (read (open-input-string ")"))))
(test-eqv #t (guard (e (#t (file-error? e))) (open-input-file "/no/such/file")))
(test-eqv #f (guard (e (#t (read-error? e))) (open-input-file "/no/such/file")))
(test-eqv #f (read-error? 5))
(test-eqv #f (file-error? "x"))
(test-equal '(outer (inner 1))
  (guard (e (#t (list 'outer e)))
    (with-exception-handler
     (lambda (e) (raise (list 'inner e)))
     (lambda () (raise 1)))))
;; Handlers run in the context of raise, without the handler itself.
(test-eq 'outer
  (call/cc
   (lambda (k)
     (with-exception-handler
      (lambda (e) (k 'outer))
      (lambda ()
        (with-exception-handler
         (lambda (e) (raise e))
         (lambda () (raise 'x))))))))
(test-equal '(1 2)
  (let ((p (make-parameter 1)))
    (with-exception-handler
     (lambda (e) (p))
     (lambda () (let ((inside (parameterize ((p 2)) (raise-continuable 'x)))) (list (p) inside))))))
(test-eqv 10
  (with-exception-handler
   (lambda (e) 10)
   (lambda () (guard (e ((string? e) 'no)) (raise-continuable 'not-a-string)))))
(test-error (with-exception-handler 5 (lambda () 1)))
(test-eqv 42 (guard (e ((symbol? e) 42)) (dynamic-wind values (lambda () (raise 'a)) values)))
(test-eq 'caught
  (guard (e (#t 'caught)) (no-such-procedure 1)))
(test-eq 'division (guard (e ((error-object? e) 'division)) (/ 1 0)))
(test-end)
