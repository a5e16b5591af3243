;;; (ice-9 getopt-long): options as GNU programs take them, described by data:
;;;
;;;   ((version (single-char #\v))
;;;    (output (value #t) (required? #t) (predicate string?)))

(define-module (ice-9 getopt-long)
  #:use-module (srfi srfi-9)
  #:export (getopt-long option-ref))

(define-record-type <option>
  (make-option name letter value required? accept?)
  option?
  (name option-name)                    ; a string
  (letter option-letter)                ; a character or #f
  (value option-value)                  ; #t, #f or optional
  (required? option-required?)
  (accept? option-accept?))             ; a predicate of the value, or #f

(define (complain text . arguments)
  (error (apply format #f (string-append "options: " text) arguments)))

(define (property specification key default)
  (let ((found (assq key (cdr specification))))
    (if found (cadr found) default)))

(define (specification->option specification)
  (for-each (lambda (entry)
              (unless (memq (car entry) '(single-char value required? predicate))
                (complain "~a is no property of an option" (car entry))))
            (cdr specification))
  (let ((letter (property specification 'single-char #f)))
    (unless (or (not letter) (char? letter))
      (complain "the single-char of ~a is no character" (car specification)))
    (make-option (symbol->string (car specification))
                 letter
                 (property specification 'value #f)
                 (property specification 'required? #f)
                 (property specification 'predicate #f))))

(define (find-option accept? options what)
  (cond ((null? options) (complain "there is no option ~a" what))
        ((accept? (car options)) (car options))
        (else (find-option accept? (cdr options) what))))

(define (option-like? word)
  (and (> (string-length word) 1) (char=? (string-ref word 0) #\-)))

(define* (getopt-long words grammar #:key stop-at-first-non-option)
  "The options among WORDS (after the first, the program's name) that GRAMMAR describes: an alist of
names and values, #t where there is none, the last one first. The other words are the value of ()."
  (define options (map specification->option grammar))

  (define (by-name name)
    (find-option (lambda (option) (string=? (option-name option) name))
                 options (string-append "--" name)))
  (define (by-letter letter)
    (find-option (lambda (option) (eqv? (option-letter option) letter))
                 options (string #\- letter)))

  (define (result found others)
    (for-each (lambda (option)
                (when (and (option-required? option)
                           (not (assq (string->symbol (option-name option)) found)))
                  (complain "--~a must be given" (option-name option))))
              options)
    (acons '() (reverse others) found))

  ;; VALUE is what was written with the option, or #f.
  (define (take option value words found others)
    (define (accept value words)
      (let ((accept? (option-accept? option)))
        (when (and accept? (string? value) (not (accept? value)))
          (complain "--~a cannot be ~s" (option-name option) value))
        (loop words (acons (string->symbol (option-name option)) value found) others)))
    (cond ((not (option-value option))
           (when value
             (complain "--~a takes no value" (option-name option)))
           (accept #t words))
          (value (accept value words))
          ((and (pair? words) (not (option-like? (car words))))
           (accept (car words) (cdr words)))
          ((eq? (option-value option) 'optional) (accept #t words))
          (else (complain "--~a needs a value" (option-name option)))))

  (define (take-letters word words found others)
    (let ((option (by-letter (string-ref word 1)))
          (rest (substring word 2)))
      (cond ((string-null? rest) (take option #f words found others))
            ((option-value option) (take option rest words found others))
            (else (take option #f (cons (string-append "-" rest) words) found others)))))

  (define (loop words found others)
    (cond ((null? words) (result found others))
          ((string=? (car words) "--") (result found (append (reverse (cdr words)) others)))
          ((string-prefix? "--" (car words))
           (let* ((text (substring (car words) 2))
                  (equals (string-index text #\=)))
             (if equals
                 (take (by-name (substring text 0 equals)) (substring text (+ equals 1))
                       (cdr words) found others)
                 (take (by-name text) #f (cdr words) found others))))
          ((option-like? (car words)) (take-letters (car words) (cdr words) found others))
          (stop-at-first-non-option (result found (append (reverse words) others)))
          (else (loop (cdr words) found (cons (car words) others)))))

  (loop (cdr words) '() '()))

(define (option-ref options key default)
  "The value of option KEY, or DEFAULT."
  (let ((found (assq key options)))
    (if found (cdr found) default)))
