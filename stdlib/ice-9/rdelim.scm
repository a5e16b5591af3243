;;; (ice-9 rdelim): delimited input, which Kiln has by default.

(define-module (ice-9 rdelim)
  #:use-module (ice-9 receive)
  #:re-export (read-line read-delimited read-string write-line)
  #:export (read-line! read-delimited! read-string! %read-line))

(define (store! text buffer start end)
  "Put TEXT, of which there is no more than fits, into BUFFER; the number of characters."
  (string-copy! buffer start text)
  (string-length text))

(define* (read-string! buffer #:optional (port (current-input-port)) (start 0)
                       (end (string-length buffer)))
  "Fill BUFFER from START to END with what PORT gives; the number of characters."
  (store! (read-string port (- end start)) buffer start end))

(define* (read-delimited! delimiters buffer #:optional (port (current-input-port)) (handle 'trim)
                          (start 0) (end (string-length buffer)))
  "Read into BUFFER up to one of the characters DELIMITERS; the number of characters, or the end of
file. With #:split, the delimiter is a second value."
  (let loop ((at start))
    (let ((next (peek-char port)))
      (define (done taken)
        (let ((result (if (and (eof-object? next) (= at start)) next (- at start))))
          (case handle
            ((split) (values result taken))
            (else result))))
      (cond ((eof-object? next) (done next))
            ((string-index delimiters next)
             (case handle
               ((peek) (- at start))
               ((concat)
                (when (= at end)
                  (error "read-delimited!: the string is too short:" buffer))
                (string-set! buffer at (read-char port))
                (- (+ at 1) start))
               (else (done (read-char port)))))
            ((= at end) (done #f))
            (else (string-set! buffer at (read-char port))
                  (loop (+ at 1)))))))

(define* (read-line! buffer #:optional (port (current-input-port)))
  "Read a line into BUFFER; the number of characters, or the end of file. #f: it did not fit."
  (receive (count end) (read-delimited! "\n" buffer port 'split)
    (if end count #f)))

(define* (%read-line #:optional (port (current-input-port)))
  "A pair of the next line and what ended it."
  (receive (line end) (read-line port 'split)
    (cons line end)))
