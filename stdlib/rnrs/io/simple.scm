;;; (rnrs io simple): ports of text as R5RS has them (R6RS Libraries, 8.3).

(define-module (rnrs io simple)
  #:use-module (rnrs io conditions)
  #:use-module (rnrs io ports)
  #:re-export
  (call-with-input-file call-with-output-file close-input-port close-output-port current-error-port
   current-input-port current-output-port display eof-object eof-object? input-port? newline
   open-input-file open-output-file output-port? peek-char read read-char with-input-from-file
   with-output-to-file write write-char &i/o &i/o-file-already-exists &i/o-file-does-not-exist
   &i/o-file-is-read-only &i/o-file-protection &i/o-filename &i/o-invalid-position &i/o-port
   &i/o-read &i/o-write i/o-error-filename i/o-error-port i/o-error-position i/o-error?
   i/o-file-already-exists-error? i/o-file-does-not-exist-error? i/o-file-is-read-only-error?
   i/o-file-protection-error? i/o-filename-error? i/o-invalid-position-error? i/o-port-error?
   i/o-read-error? i/o-write-error? make-i/o-error make-i/o-file-already-exists-error
   make-i/o-file-does-not-exist-error make-i/o-file-is-read-only-error
   make-i/o-file-protection-error make-i/o-filename-error make-i/o-invalid-position-error
   make-i/o-port-error make-i/o-read-error make-i/o-write-error))
