;;; (srfi srfi-19 calendar): days and leap seconds. Months and days of the month count from 1,
;;; days of the week from Sunday, 0. There is no year 0: before year 1 comes -1.

(define-module (srfi srfi-19 calendar)
  #:export (seconds-per-day epoch-day day-number number->day week-day year-day iso-week
            utc->tai tai->utc))

(define seconds-per-day 86400)

(define (day-number day month year)
  "The Julian day number of a day of the Gregorian calendar."
  (let* ((late (quotient (- 14 month) 12))              ; January and February end a year
         (years (+ (if (< year 0) (+ year 1) year) 4800 (- late)))
         (months (+ month (* 12 late) -3)))
    (+ day
       (quotient (+ (* 153 months) 2) 5)
       (* 365 years)
       (floor-quotient years 4)
       (- (floor-quotient years 100))
       (floor-quotient years 400)
       -32045)))

(define (number->day number)
  "Day, month and year of a Julian day number, as three values."
  (let* ((days (+ number 32044))
         (centuries (floor-quotient (+ (* 4 days) 3) 146097))
         (days (- days (floor-quotient (* 146097 centuries) 4)))
         (years (floor-quotient (+ (* 4 days) 3) 1461))
         (days (- days (floor-quotient (* 1461 years) 4)))
         (months (floor-quotient (+ (* 5 days) 2) 153))
         (year (+ (* 100 centuries) years -4800 (quotient months 10))))
    (values (+ (- days (floor-quotient (+ (* 153 months) 2) 5)) 1)
            (+ months 3 (* -12 (quotient months 10)))
            (if (<= year 0) (- year 1) year))))

(define epoch-day (day-number 1 1 1970))

(define (week-day day month year)
  (modulo (+ (day-number day month year) 1) 7))

(define (year-day day month year)
  "1 for the first of January."
  (+ (- (day-number day month year) (day-number 1 1 year)) 1))

(define (iso-week day month year)
  "The week, Monday to Sunday, counted from the one that holds the year's first Thursday."
  (let* ((number (day-number day month year))
         (thursday (+ number (- 3 (modulo number 7)))))
    (call-with-values (lambda () (number->day thursday))
      (lambda (d m y) (+ (quotient (- (year-day d m y) 1) 7) 1)))))

;;; Leap seconds

;; When TAI was first so many seconds ahead of UTC: (seconds since 1970 . ahead), the last first.
(define leaps
  (map (lambda (year month ahead)
         (cons (* seconds-per-day (- (day-number 1 month year) epoch-day)) ahead))
       '(2017 2015 2012 2009 2006 1999 1997 1996 1994 1993 1992 1991 1990 1988
         1985 1983 1982 1981 1980 1979 1978 1977 1976 1975 1974 1973 1972 1972)
       '(1 7 7 1 1 1 7 1 7 7 7 1 1 1 7 7 7 7 1 1 1 1 1 1 1 1 7 1)
       (reverse (iota 28 10))))

(define (utc->tai seconds)
  (let loop ((leaps leaps))
    (cond ((null? leaps) seconds)
          ((>= seconds (caar leaps)) (+ seconds (cdar leaps)))
          (else (loop (cdr leaps))))))

(define (tai->utc seconds)
  (let loop ((leaps leaps))
    (cond ((null? leaps) seconds)
          ((>= (- seconds (cdar leaps)) (caar leaps)) (- seconds (cdar leaps)))
          (else (loop (cdr leaps))))))
