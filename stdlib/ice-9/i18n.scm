;;; (ice-9 i18n): what depends on the language. There is one locale, C in UTF-8.

(define-module (ice-9 i18n)
  #:use-module (srfi srfi-9)
  #:export (make-locale locale? %global-locale
            string-locale<? string-locale>? string-locale-ci<? string-locale-ci>?
            string-locale-ci=? char-locale<? char-locale>? char-locale-ci<? char-locale-ci>?
            char-locale-ci=?
            string-locale-upcase string-locale-downcase string-locale-titlecase
            char-locale-upcase char-locale-downcase char-locale-titlecase
            locale-string->integer locale-string->inexact
            number->locale-string locale-encoding locale-day locale-day-short
            locale-month locale-month-short locale-decimal-point locale-thousands-separator))

(define-record-type <locale>
  (%make-locale name)
  locale?
  (name locale-name))

(define %global-locale (%make-locale "C"))
(define* (make-locale categories name #:optional base)
  (%make-locale name))

;; Each takes a locale as its last argument, which makes no difference.
(define-syntax define-without-locale
  (syntax-rules ()
    ((_ (name procedure argument ...) ...)
     (begin
       (define* (name argument ... #:optional locale)
         (procedure argument ...))
       ...))))

(define-without-locale
  (string-locale<? string<? a b)
  (string-locale>? string>? a b)
  (string-locale-ci<? string-ci<? a b)
  (string-locale-ci>? string-ci>? a b)
  (string-locale-ci=? string-ci=? a b)
  (char-locale<? char<? a b)
  (char-locale>? char>? a b)
  (char-locale-ci<? char-ci<? a b)
  (char-locale-ci>? char-ci>? a b)
  (char-locale-ci=? char-ci=? a b)
  (string-locale-upcase string-upcase text)
  (string-locale-downcase string-downcase text)
  (string-locale-titlecase string-titlecase text)
  (char-locale-upcase char-upcase char)
  (char-locale-downcase char-downcase char)
  (char-locale-titlecase char-titlecase char))

;; The number that TEXT begins with, and how many characters it has; #f and 0 if there is none.
(define (leading-number text accept?)
  (let loop ((end (string-length text)))
    (let ((number (and (> end 0) (string->number (substring text 0 end)))))
      (cond ((= end 0) (values #f 0))
            ((and number (accept? number)) (values number end))
            (else (loop (- end 1)))))))

(define* (locale-string->integer text #:optional (base 10) locale)
  (leading-number text exact-integer?))

(define* (locale-string->inexact text #:optional locale)
  (call-with-values (lambda () (leading-number text real?))
    (lambda (number end) (values (and number (exact->inexact number)) end))))

(define* (number->locale-string number #:optional (fraction-digits #t) locale)
  "NUMBER with so many digits after the point; #t: as many as there are."
  (if (eq? fraction-digits #t)
      (number->string number)
      (format #f "~,vf" fraction-digits number)))

(define (locale-encoding . _) "UTF-8")
(define (locale-decimal-point . _) ".")
(define (locale-thousands-separator . _) "")

(define days '#("Sunday" "Monday" "Tuesday" "Wednesday" "Thursday" "Friday" "Saturday"))
(define months '#("January" "February" "March" "April" "May" "June" "July" "August" "September"
                  "October" "November" "December"))

(define* (locale-day number #:optional locale)
  "The name of a day of the week; Sunday is 1."
  (vector-ref days (- number 1)))
(define* (locale-month number #:optional locale)
  (vector-ref months (- number 1)))
(define* (locale-day-short number #:optional locale)
  (substring (locale-day number) 0 3))
(define* (locale-month-short number #:optional locale)
  (substring (locale-month number) 0 3))
