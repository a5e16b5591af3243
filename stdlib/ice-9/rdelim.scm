;;; (ice-9 rdelim): delimited input, which Kiln has by default.

(define-module (ice-9 rdelim)
  #:re-export (read-line read-delimited read-string write-line)
  #:export (read-line! read-delimited! read-string! %read-line %read-delimited!))

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
file. HANDLE split gives a pair of that and the delimiter, #f if BUFFER was full."
  (let loop ((at start))
    (let ((next (peek-char port)))
      (define (done taken)
        (let ((result (if (and (eof-object? next) (= at start)) next (- at start))))
          (case handle
            ((split) (cons result taken))
            (else result))))
      (cond ((eof-object? next) (done next))
            ((= at end) (done #f))
            ((string-index delimiters next)
             (case handle
               ((peek) (- at start))
               ((concat)
                (string-set! buffer at (read-char port))
                (- (+ at 1) start))
               (else (done (read-char port)))))
            (else (string-set! buffer at (read-char port))
                  (loop (+ at 1)))))))

(define* (%read-delimited! delimiters buffer gobble? #:optional (port (current-input-port))
                           (start 0) (end (string-length buffer)))
  "Read into BUFFER up to one of the characters DELIMITERS, which stays unread unless GOBBLE?; a pair
of the delimiter, the end of file or #f if BUFFER was full, and the number of characters."
  (let* ((read (read-delimited! delimiters buffer port 'split start end))
         (delimiter (cdr read)))
    (unless (or gobble? (not (char? delimiter)))
      (unread-char delimiter port))
    (cons delimiter (if (eof-object? (car read)) 0 (car read)))))

(define* (read-line! buffer #:optional (port (current-input-port)))
  "Read a line into BUFFER; the number of characters, or the end of file. #f: it did not fit."
  (let ((read (read-delimited! "\n" buffer port 'split)))
    (and (cdr read) (car read))))

(define* (%read-line #:optional (port (current-input-port)))
  "A pair of the next line and what ended it."
  (read-line port 'split))
