;;; (ice-9 iconv): strings to bytes and back, in an encoding.

(define-module (ice-9 iconv)
  #:use-module (rnrs bytevectors)
  #:export (string->bytevector bytevector->string call-with-encoded-output-string))

(define (encoder encoding)
  (case (string->symbol (string-upcase encoding))
    ((UTF-8 UTF8) (cons string->utf8 utf8->string))
    ((UTF-16 UTF-16BE) (cons string->utf16 utf16->string))
    ((UTF-32 UTF-32BE) (cons string->utf32 utf32->string))
    ((ASCII US-ASCII) (cons (narrow 128) (wide 128)))
    ((ISO-8859-1 LATIN1 LATIN-1) (cons (narrow 256) (wide 256)))
    (else (error "there is no such encoding here:" encoding))))

(define (narrow limit)
  (lambda (text)
    (u8-list->bytevector
     (map (lambda (char)
            (let ((code (char->integer char)))
              (unless (< code limit)
                (throw 'encoding-error "string->bytevector" "no such character in it" 0 #f char))
              code))
          (string->list text)))))

(define (wide limit)
  (lambda (bytes)
    (list->string (map (lambda (code)
                         (unless (< code limit)
                           (throw 'decoding-error "bytevector->string" "no such byte in it" 0 code))
                         (integer->char code))
                       (bytevector->u8-list bytes)))))

(define* (string->bytevector text encoding #:optional conversion-strategy)
  "The bytes of TEXT in ENCODING, such as \"UTF-8\" or \"ISO-8859-1\"."
  ((car (encoder encoding)) text))

(define* (bytevector->string bytes encoding #:optional conversion-strategy)
  "The text that BYTES are in ENCODING."
  ((cdr (encoder encoding)) bytes))

(define* (call-with-encoded-output-string encoding procedure #:optional conversion-strategy)
  "The bytes, in ENCODING, of what PROCEDURE writes to the port that it gets."
  (string->bytevector (call-with-output-string procedure) encoding))
