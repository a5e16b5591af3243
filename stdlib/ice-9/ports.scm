;;; (ice-9 ports): ports, which Kiln has by default.

(define-module (ice-9 ports)
  #:re-export
  (%make-void-port *null-device* SEEK_CUR SEEK_END SEEK_SET call-with-input-file
   call-with-input-string call-with-output-file call-with-output-string call-with-port
   char-ready? close-input-port close-output-port close-port current-error-port
   current-input-port current-output-port current-warning-port dup dup->fdes dup->inport
   dup->outport dup->port dup2 duplicate-port eof-object? fdes->inport fdes->outport fdopen
   fileno force-output ftell input-port? isatty? open-file open-input-file open-io-file
   open-output-file output-port? peek-char port->fdes port-closed? port-column port-encoding
   port-filename port-line port? read-char seek set-current-error-port set-current-input-port
   set-current-output-port set-port-column! set-port-conversion-strategy! set-port-encoding!
   set-port-line! setvbuf truncate-file unread-char unread-string with-error-to-file
   with-error-to-port with-error-to-string with-input-from-file with-input-from-port
   with-input-from-string with-output-to-file with-output-to-port with-output-to-string))
