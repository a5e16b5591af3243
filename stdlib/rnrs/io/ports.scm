;;; (rnrs io ports): ports as R6RS names them (Libraries, 8.2).

(define-module (rnrs io ports)
  #:use-module (ice-9 textual-ports)
  #:use-module (ice-9 binary-ports)
  #:use-module (rnrs enums)
  #:use-module (rnrs io conditions)
  #:use-module (rnrs io files)
  #:use-module (rnrs io transcoders)
  #:use-module (srfi srfi-9 gnu)
  #:export (call-with-string-output-port call-with-bytevector-output-port
            open-string-input-port open-string-output-port port-eof?
            file-options buffer-mode buffer-mode? eol-style error-handling-mode
            open-file-input-port open-file-output-port open-file-input/output-port
            standard-input-port standard-output-port standard-error-port
            output-port-buffer-mode make-custom-textual-output-port)
  #:re-export
  (get-char lookahead-char get-line get-string-n get-string-n! get-string-all get-datum
   put-char put-string put-datum
   open-bytevector-input-port open-bytevector-output-port
   make-custom-binary-input-port make-custom-binary-output-port
   make-custom-binary-input/output-port
   get-u8 lookahead-u8 get-bytevector-n get-bytevector-n!
   get-bytevector-some get-bytevector-all put-u8 put-bytevector
   eof-object eof-object? input-port? output-port? port? close-port
   call-with-port current-input-port current-output-port
   current-error-port flush-output-port textual-port? binary-port?
   make-transcoder native-transcoder latin-1-codec utf-8-codec utf-16-codec native-eol-style
   transcoder-codec transcoder-eol-style transcoder-error-handling-mode transcoded-port
   port-transcoder string->bytevector bytevector->string
   port-has-port-position? port-position port-has-set-port-position!? set-port-position!)
  #:re-export-modules ((rnrs io conditions)))

(define (call-with-string-output-port proc)
  "Call PROC with a port and give the string that it wrote."
  (call-with-output-string proc))

(define* (call-with-bytevector-output-port proc #:optional transcoder)
  "Call PROC with a port and give the bytes that it wrote."
  (call-with-values (lambda () (open-bytevector-output-port transcoder))
    (lambda (port written)
      (proc port)
      (written))))

(define (open-string-input-port string)
  "A port on the characters of STRING."
  (open-input-string string))

(define (open-string-output-port)
  "A port, and a procedure that gives (and forgets) what was written to it."
  (let ((port (open-output-string))
        (given 0))
    (values port
            (lambda ()
              (let* ((all (get-output-string port))
                     (fresh (substring all given)))
                (set! given (string-length all))
                fresh)))))

(define (port-eof? port)
  "Is PORT at its end?"
  (eof-object? (if (binary-port? port) (lookahead-u8 port) (lookahead-char port))))

;;; What files are opened for

(define option-set (enum-set-constructor (make-enumeration '(no-create no-fail no-truncate))))

(define-syntax file-options
  (syntax-rules ()
    "(file-options OPTION ...): the set of OPTIONs out of no-create, no-fail and no-truncate."
    ((_ . options) (option-set 'options))))

(define-syntax buffer-mode
  (syntax-rules (none line block)
    "(buffer-mode MODE): one of the symbols none, line and block; anything else is no syntax."
    ((_ none) 'none)
    ((_ line) 'line)
    ((_ block) 'block)))

(define-syntax eol-style
  (syntax-rules (none lf cr crlf nel crnel ls)
    "(eol-style STYLE): one of the symbols none, lf, cr, crlf, nel, crnel and ls."
    ((_ none) 'none)
    ((_ lf) 'lf)
    ((_ cr) 'cr)
    ((_ crlf) 'crlf)
    ((_ nel) 'nel)
    ((_ crnel) 'crnel)
    ((_ ls) 'ls)))

(define-syntax error-handling-mode
  (syntax-rules (ignore raise replace)
    "(error-handling-mode MODE): one of the symbols ignore, raise and replace."
    ((_ ignore) 'ignore)
    ((_ raise) 'raise)
    ((_ replace) 'replace)))

(define (buffer-mode? symbol)
  "Is SYMBOL one of none, line and block?"
  (and (memq symbol '(none line block)) #t))

(define (text-or-bytes port transcoder)
  (if transcoder (transcoded-port port transcoder) port))

(define* (open-file-input-port name #:optional (options (file-options)) (mode 'block) transcoder)
  "A port on the contents of the file NAME: of bytes, or of text if there is a TRANSCODER."
  (text-or-bytes (open-bytes-in name) transcoder))

(define* (open-file-output-port name #:optional (options (file-options)) (mode 'block) transcoder)
  "A port that writes the new file NAME. OPTIONS are of no-fail (it may be there already),
no-create (it must be) and no-truncate (its contents are written over, and not removed first)."
  (text-or-bytes (open-bytes-out name (enum-set->list options)) transcoder))

(define* (open-file-input/output-port name #:optional (options (file-options)) (mode 'block)
                                      transcoder)
  "A port that reads and writes the file NAME; OPTIONS are those of open-file-output-port."
  (text-or-bytes (open-bytes-in-and-out name (enum-set->list options)) transcoder))

(define (make-custom-textual-output-port id write! get-position set-position! close)
  "A port whose text WRITE! takes from a string, from START on, COUNT at most; it gives how many
characters it took."
  (define (put text)
    (let loop ((start 0))
      (when (< start (string-length text))
        (loop (+ start (write! text start (- (string-length text) start)))))))
  (make-soft-port (vector (lambda (char) (put (string char))) put #f #f close) "w"))
