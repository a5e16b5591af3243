;;; (srfi srfi-19 types): times and dates as values.

(define-module (srfi srfi-19 types)
  #:use-module (srfi srfi-9)
  #:use-module (srfi srfi-19 calendar)
  #:export (time-duration time-monotonic time-process time-tai time-thread time-utc
            make-time time? time-type time-nanosecond time-second copy-time
            set-time-type! set-time-nanosecond! set-time-second!
            count nanoseconds->time
            make-date date? date-nanosecond date-second date-minute date-hour date-day
            date-month date-year date-zone-offset date-year-day date-week-day date-week-number
            date->time-utc time-utc->date)
  #:replace (count))

(define time-duration 'time-duration)
(define time-monotonic 'time-monotonic)
(define time-process 'time-process)
(define time-tai 'time-tai)
(define time-thread 'time-thread)
(define time-utc 'time-utc)

(define-record-type <time>
  (%make-time type nanosecond second)
  time?
  (type time-type set-time-type!)
  (nanosecond time-nanosecond set-time-nanosecond!)
  (second time-second set-time-second!))

(define (make-time type nanosecond second)
  "A time of TYPE: seconds (since 1970, unless it is a duration) and nanoseconds."
  (nanoseconds->time type (+ nanosecond (* second #e1e9))))

(define (copy-time time)
  (%make-time (time-type time) (time-nanosecond time) (time-second time)))

(define (count time)
  "All of TIME, in nanoseconds."
  (+ (* (time-second time) #e1e9) (time-nanosecond time)))

(define (nanoseconds->time type nanoseconds)
  ;; both parts have the sign of the whole
  (%make-time type (remainder nanoseconds #e1e9) (quotient nanoseconds #e1e9)))

(define-record-type <date>
  (make-date nanosecond second minute hour day month year zone-offset)
  date?
  (nanosecond date-nanosecond)
  (second date-second)
  (minute date-minute)
  (hour date-hour)
  (day date-day)                        ; 1 to 31
  (month date-month)                    ; 1 to 12
  (year date-year)
  (zone-offset date-zone-offset))       ; seconds east of Greenwich

(define (date-year-day date)
  "1 for the first of January."
  (year-day (date-day date) (date-month date) (date-year date)))

(define (date-week-day date)
  "0 for Sunday."
  (week-day (date-day date) (date-month date) (date-year date)))

(define (date-week-number date first-day)
  "How many weeks that begin on week day FIRST-DAY have passed; the days before the first are of
week 0."
  (let ((before (modulo (- first-day (week-day 1 1 (date-year date))) 7)))
    (quotient (- (date-year-day date) before) 7)))

(define (date->time-utc date)
  (make-time time-utc
             (date-nanosecond date)
             (+ (* seconds-per-day
                   (- (day-number (date-day date) (date-month date) (date-year date)) epoch-day))
                (* 3600 (date-hour date))
                (* 60 (date-minute date))
                (date-second date)
                (- (date-zone-offset date)))))

(define* (time-utc->date time #:optional (offset 0))
  "The date of TIME in the zone OFFSET seconds east of Greenwich."
  (unless (eq? (time-type time) time-utc)
    (error "time-utc->date: a time of another type:" time))
  (let* ((total (+ (count time) (* offset #e1e9)))
         (seconds (floor-quotient total #e1e9))
         (of-day (floor-remainder seconds seconds-per-day)))
    (call-with-values
        (lambda () (number->day (+ epoch-day (floor-quotient seconds seconds-per-day))))
      (lambda (day month year)
        (make-date (floor-remainder total #e1e9)
                   (remainder of-day 60)
                   (remainder (quotient of-day 60) 60)
                   (quotient of-day 3600)
                   day month year offset)))))
