;;; (rnrs io ports): ports as R6RS names them, as far as they are UTF-8 and unbuffered.

(define-module (rnrs io ports)
  #:use-module (ice-9 textual-ports)
  #:use-module (ice-9 binary-ports)
  #:export (call-with-string-output-port call-with-bytevector-output-port
            open-string-input-port port-eof?)
  #:re-export
  (get-char lookahead-char get-line get-string-n get-string-all get-datum
   put-char put-string put-datum
   open-bytevector-input-port open-bytevector-output-port
   get-u8 lookahead-u8 get-bytevector-n get-bytevector-n!
   get-bytevector-some get-bytevector-all put-u8 put-bytevector
   eof-object eof-object? input-port? output-port? port? close-port
   call-with-port current-input-port current-output-port
   current-error-port flush-output-port textual-port? binary-port?))

(define (call-with-string-output-port proc)
  "Call PROC with a port and give the string that it wrote."
  (call-with-output-string proc))

(define (call-with-bytevector-output-port proc . transcoder)
  "Call PROC with a port and give the bytes that it wrote."
  (call-with-output-bytevector proc))

(define (open-string-input-port string)
  "A port on the characters of STRING."
  (open-input-string string))

(define (port-eof? port)
  "Is PORT at its end?"
  (eof-object? (lookahead-u8 port)))
