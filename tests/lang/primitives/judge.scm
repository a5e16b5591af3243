;;; Evaluates each expression of a file in Guile and shows the list of its values, or "error".

(set-port-encoding! (current-output-port) "UTF-8")
(fluid-set! %default-port-encoding "UTF-8")
(call-with-input-file (cadr (command-line))
  (lambda (port)
    (set-port-encoding! port "UTF-8")
    (let loop ((form (read port)))
      (unless (eof-object? form)
        (newline)
        (display "=> ")
        (write (catch #t
                 (lambda () (call-with-values (lambda () (eval form (current-module))) list))
                 (lambda _ 'error)))
        (newline)
        (loop (read port))))))
