;;; (srfi srfi-19 text): dates as text and back, by templates with directives such as ~Y.

(define-module (srfi srfi-19 text)
  #:use-module (srfi srfi-19 calendar)
  #:use-module (srfi srfi-19 types)
  #:export (date->string string->date))

(define days '#("Sunday" "Monday" "Tuesday" "Wednesday" "Thursday" "Friday" "Saturday"))
(define months '#("January" "February" "March" "April" "May" "June" "July" "August" "September"
                  "October" "November" "December"))
(define (short name) (substring name 0 3))
(define short-days (vector-map short days))
(define short-months (vector-map short months))

;;; Dates as text

(define (padded number width fill)
  (let ((text (number->string number)))
    (string-append (make-string (max 0 (- width (string-length text))) fill) text)))

(define (day-name date) (vector-ref days (date-week-day date)))
(define (month-name date) (vector-ref months (- (date-month date) 1)))
(define (twelve hour) (+ (modulo (- hour 1) 12) 1))
(define (seconds date) (time-second (date->time-utc date)))

(define (zone offset)
  (let ((minutes (quotient (abs offset) 60)))
    (if (= offset 0)
        "Z"
        (string-append (if (< offset 0) "-" "+")
                       (padded (quotient minutes 60) 2 #\0)
                       (padded (remainder minutes 60) 2 #\0)))))

(define (seconds-with-fraction date)
  (let ((fraction (string-trim-right (padded (date-nanosecond date) 9 #\0) #\0)))
    (string-append (number->string (date-second date))
                   (if (string-null? fraction) "" ".")
                   fraction)))

;; Weeks that begin on FIRST-DAY, week 1 being the year's first whole or partial one.
(define (week date first-day)
  (let ((number (date-week-number date first-day)))
    (if (= (week-day 1 1 (date-year date)) first-day)
        number
        (+ number 1))))

(define (expansion directive)
  "The template that DIRECTIVE stands for, or #f."
  (case directive
    ((#\c) "~a ~b ~d ~H:~M:~S~z ~Y")
    ((#\D #\x) "~m/~d/~y")
    ((#\r) "~I:~M:~S ~p")
    ((#\T #\X #\3) "~H:~M:~S")
    ((#\1) "~Y-~m-~d")
    ((#\2) "~H:~M:~S~z")
    ((#\4) "~Y-~m-~dT~H:~M:~S~z")
    ((#\5) "~Y-~m-~dT~H:~M:~S")
    (else #f)))

(define (directive->string directive date)
  (define (two number) (padded number 2 #\0))
  (define (blank-two number) (padded number 2 #\space))
  (case directive
    ((#\~) "~")
    ((#\n) "\n")
    ((#\t) "\t")
    ((#\a) (short (day-name date)))
    ((#\A) (day-name date))
    ((#\b #\h) (short (month-name date)))
    ((#\B) (month-name date))
    ((#\d) (two (date-day date)))
    ((#\e) (blank-two (date-day date)))
    ((#\f) (seconds-with-fraction date))
    ((#\H) (two (date-hour date)))
    ((#\I) (two (twelve (date-hour date))))
    ((#\j) (padded (date-year-day date) 3 #\0))
    ((#\k) (blank-two (date-hour date)))
    ((#\l) (blank-two (twelve (date-hour date))))
    ((#\m) (two (date-month date)))
    ((#\M) (two (date-minute date)))
    ((#\N) (padded (date-nanosecond date) 9 #\0))
    ((#\p) (if (< (date-hour date) 12) "AM" "PM"))
    ((#\s) (number->string (seconds date)))
    ((#\S) (two (date-second date)))
    ((#\U) (two (week date 0)))
    ((#\V) (two (iso-week (date-day date) (date-month date) (date-year date))))
    ((#\w) (number->string (date-week-day date)))
    ((#\W) (two (week date 1)))
    ((#\y) (two (modulo (date-year date) 100)))
    ((#\Y) (number->string (date-year date)))
    ((#\z) (zone (date-zone-offset date)))
    ((#\Z) "")
    (else
     (let ((template (expansion directive)))
       (if template
           (date->string date template)
           (error "date->string: unknown directive" (string #\~ directive)))))))

(define* (date->string date #:optional (template "~c"))
  "DATE as TEMPLATE says."
  (let ((end (string-length template)))
    (let loop ((index 0) (parts '()))
      (let ((tilde (string-index template #\~ index)))
        (cond ((not tilde)
               (string-concatenate-reverse (cons (substring template index) parts)))
              ((= (+ tilde 1) end)
               (error "date->string: the template ends in ~:" template))
              (else
               (loop (+ tilde 2)
                     (cons* (directive->string (string-ref template (+ tilde 1)) date)
                            (substring template index tilde)
                            parts))))))))

;;; Text as dates

(define (string->date text template)
  "The date that TEXT, which looks as TEMPLATE says, writes."
  (define end (string-length text))
  (define (fail)
    (error "string->date: the text is not as the template says:" text template))

  ;; Each reader gives a value and the index after it.
  (define (skip accept? index)
    (cond ((= index end) (fail))
          ((accept? (string-ref text index)) index)
          (else (skip accept? (+ index 1)))))

  (define (digits index least most)
    (let loop ((after index))
      (if (and (< after end) (< (- after index) most) (char-numeric? (string-ref text after)))
          (loop (+ after 1))
          (if (< (- after index) least)
              (fail)
              (values (string->number (substring text index after)) after)))))

  (define (number index least most)
    (digits (skip char-numeric? index) least most))

  (define (name names index)
    (let ((start (skip char-alphabetic? index)))
      (let loop ((i 0))
        (if (= i (vector-length names))
            (fail)
            (let ((after (+ start (string-length (vector-ref names i)))))
              (if (and (<= after end)
                       (string-ci=? (vector-ref names i) (substring text start after)))
                  (values i after)
                  (loop (+ i 1))))))))

  (define (zone index)
    (let ((start (skip (lambda (c) (memv c '(#\Z #\z #\+ #\-))) index)))
      (case (string-ref text start)
        ((#\Z #\z) (values 0 (+ start 1)))
        (else
         (call-with-values (lambda () (digits (+ start 1) 2 2))
           (lambda (hours index)
             (let ((index (if (and (< index end) (char=? (string-ref text index) #\:))
                              (+ index 1)
                              index)))
               (call-with-values (lambda () (digits index 2 2))
                 (lambda (minutes index)
                   (values (* (if (char=? (string-ref text start) #\-) -60 60)
                              (+ (* 60 hours) minutes))
                           index))))))))))

  (define nanosecond 0)
  (define second 0)
  (define minute 0)
  (define hour 0)
  (define day #f)
  (define month #f)
  (define year #f)
  (define offset 0)

  (define-syntax-rule (set-from! reading (value set-expression))
    (call-with-values (lambda () reading)
      (lambda (value after) set-expression after)))

  (define (read-directive directive index)
    (case directive
      ((#\~) (if (and (< index end) (char=? (string-ref text index) #\~)) (+ index 1) (fail)))
      ((#\a) (set-from! (name short-days index) (_ #f)))
      ((#\A) (set-from! (name days index) (_ #f)))
      ((#\b #\h) (set-from! (name short-months index) (n (set! month (+ n 1)))))
      ((#\B) (set-from! (name months index) (n (set! month (+ n 1)))))
      ((#\d) (set-from! (number index 1 2) (n (set! day n))))
      ((#\e) (set-from! (number index 1 2) (n (set! day n))))
      ((#\H) (set-from! (number index 1 2) (n (set! hour n))))
      ((#\k) (set-from! (number index 1 2) (n (set! hour n))))
      ((#\m) (set-from! (number index 1 2) (n (set! month n))))
      ((#\M) (set-from! (number index 1 2) (n (set! minute n))))
      ((#\N) (set-from! (number index 1 9) (n (set! nanosecond n))))
      ((#\S) (set-from! (number index 1 2) (n (set! second n))))
      ((#\y) (set-from! (number index 2 2) (n (set! year (+ n (if (< n 69) 2000 1900))))))
      ((#\Y) (set-from! (number index 1 4) (n (set! year n))))
      ((#\z) (set-from! (zone index) (n (set! offset n))))
      (else
       (let ((template (expansion directive)))
         (if template
             (read-template template index)
             (error "string->date: unknown directive" (string #\~ directive)))))))

  (define (read-template template index)
    (let loop ((place 0) (index index))
      (cond ((= place (string-length template)) index)
            ((and (char=? (string-ref template place) #\~)
                  (< (+ place 1) (string-length template)))
             (loop (+ place 2) (read-directive (string-ref template (+ place 1)) index)))
            ((and (< index end) (char=? (string-ref template place) (string-ref text index)))
             (loop (+ place 1) (+ index 1)))
            (else (fail)))))

  (read-template template 0)
  (unless (and day month year)
    (error "string->date: the template gives no day, month or year:" template))
  (make-date nanosecond second minute hour day month year offset))
