;;; R7RS 6.14 System interface. In a configuration nothing acts on the world: naming what would
;;; is an error that says so. (features) and load remain.

(import (scheme base) (scheme eval) (scheme load) (scheme file) (scheme process-context)
        (srfi 1) (srfi 64))

(define here (interaction-environment))
(define-syntax test-staged
  (syntax-rules () ((_ form ...) (begin (test-error (eval 'form here)) ...))))

(test-begin "6.14 System interface")
(test-assert (memq 'r7rs (features)))
(test-assert (memq 'full-unicode (features)))
(test-assert (memq 'ratios (features)))
(test-assert (list? (features)))
(load "loaded.scm")
(test-eqv 42 (eval 'loaded-value here))
(test-staged
 (delete-file "x")
 (open-output-file "x")
 (open-binary-output-file "x")
 (call-with-output-file "x" write)
 (with-output-to-file "x" newline)
 (get-environment-variable "PATH")
 (get-environment-variables)
 (current-second)
 (current-jiffy)
 (command-line))
(test-equal '(quit (in out) (3))
  (let ((trace '()))
    (catch 'quit
      (lambda ()
        (dynamic-wind (lambda () (set! trace (cons 'in trace)))
                      (lambda () (exit 3))
                      (lambda () (set! trace (cons 'out trace)))))
      (lambda (key . given) (list key (reverse trace) given)))))
(test-assert (every symbol? (features)))
(test-end)
