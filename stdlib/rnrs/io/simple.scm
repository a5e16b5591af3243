;;; (rnrs io simple): ports of text as R5RS has them (R6RS Libraries, 8.3).

(define-module (rnrs io simple)
  #:use-module (rnrs io ports)
  #:re-export
  (call-with-input-file call-with-output-file close-input-port close-output-port current-error-port
   current-input-port current-output-port display eof-object eof-object? input-port? newline
   open-input-file open-output-file output-port? peek-char read read-char with-input-from-file
   with-output-to-file write write-char)
  #:re-export-modules ((rnrs io failures)))
