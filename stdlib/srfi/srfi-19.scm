;;; (srfi srfi-19): times and dates. All of it is pure but for reading the clock: current-time,
;;; current-date and the like exist inside builds only. The zone that is not given is UTC.

(define-module (srfi srfi-19)
  #:use-module (kiln stages)
  #:use-module (srfi srfi-9)
  #:use-module (srfi srfi-19 calendar)
  #:use-module (srfi srfi-19 types)
  #:use-module (srfi srfi-19 text)
  #:re-export (time-duration time-monotonic time-process time-tai time-thread time-utc
               make-time time? time-type time-nanosecond time-second copy-time
               set-time-type! set-time-nanosecond! set-time-second!
               make-date date? date-nanosecond date-second date-minute date-hour date-day
               date-month date-year date-zone-offset date-year-day date-week-day
               date-week-number
               date->time-utc time-utc->date date->string string->date)
  #:export (current-date current-julian-day current-modified-julian-day
            time-resolution
            time<=? time<? time=? time>=? time>?
            time-difference time-difference! add-duration add-duration!
            subtract-duration subtract-duration!
            date->julian-day date->modified-julian-day date->time-monotonic date->time-tai
            julian-day->date julian-day->time-monotonic julian-day->time-tai
            julian-day->time-utc
            modified-julian-day->date modified-julian-day->time-monotonic
            modified-julian-day->time-tai modified-julian-day->time-utc
            time-monotonic->date time-monotonic->julian-day
            time-monotonic->modified-julian-day
            time-monotonic->time-tai time-monotonic->time-tai!
            time-monotonic->time-utc time-monotonic->time-utc!
            time-tai->date time-tai->julian-day time-tai->modified-julian-day
            time-tai->time-monotonic time-tai->time-monotonic!
            time-tai->time-utc time-tai->time-utc!
            time-utc->julian-day time-utc->modified-julian-day
            time-utc->time-monotonic time-utc->time-monotonic!
            time-utc->time-tai time-utc->time-tai!)
  #:replace (current-time))

;;; The clock

(define-staged (current-time #:optional (type time-utc))
  "The time now, as TYPE counts it."
  (if (memq type (list time-utc time-tai time-monotonic))
      (let* ((now (gettimeofday))
             (time (make-time time-utc (* 1000 (cdr now)) (car now))))
        (convert! time type))
      (error "current-time: there is no clock for" type)))

(define-staged (current-date #:optional (offset 0))
  (time-utc->date (current-time) offset))

(define-staged (current-julian-day)
  (time-utc->julian-day (current-time)))

(define-staged (current-modified-julian-day)
  (time-utc->modified-julian-day (current-time)))

(define* (time-resolution #:optional (type time-utc))
  "The clock's steps, in nanoseconds."
  1000)

;;; Times

(define (check-types who x y)
  (unless (eq? (time-type x) (time-type y))
    (error (string-append who ": the times are of different types:") x y)))

(define-syntax-rule (define-comparison name order)
  (define (name x y)
    (check-types (symbol->string 'name) x y)
    (order (count x) (count y))))

(define-comparison time<? <)
(define-comparison time<=? <=)
(define-comparison time=? =)
(define-comparison time>=? >=)
(define-comparison time>? >)

(define (time-difference x y)
  "The duration from Y to X."
  (check-types "time-difference" x y)
  (nanoseconds->time time-duration (- (count x) (count y))))

(define (check-duration who duration)
  (unless (eq? (time-type duration) time-duration)
    (error (string-append who ": a duration is expected, not") duration)))

(define (add-duration time duration)
  (check-duration "add-duration" duration)
  (nanoseconds->time (time-type time) (+ (count time) (count duration))))

(define (subtract-duration time duration)
  (check-duration "subtract-duration" duration)
  (nanoseconds->time (time-type time) (- (count time) (count duration))))

(define (assign! time result)
  "Make TIME what RESULT is."
  (set-time-type! time (time-type result))
  (set-time-second! time (time-second result))
  (set-time-nanosecond! time (time-nanosecond result))
  time)

(define (time-difference! x y) (assign! x (time-difference x y)))
(define (add-duration! time duration) (assign! time (add-duration time duration)))
(define (subtract-duration! time duration) (assign! time (subtract-duration time duration)))

;;; From one scale to another. Monotonic time is TAI here.

(define (convert! time type)
  (let ((from (time-type time)))
    (cond ((eq? from type))
          ((eq? from time-utc) (set-time-second! time (utc->tai (time-second time))))
          ((eq? type time-utc) (set-time-second! time (tai->utc (time-second time)))))
    (set-time-type! time type)
    time))

(define-syntax define-conversions
  (syntax-rules ()
    ((_ (from to name name!) ...)
     (begin
       (begin
         (define (name! time)
           (unless (eq? (time-type time) from)
             (error (string-append (symbol->string 'name) ": a time of another type:") time))
           (convert! time to))
         (define (name time)
           (name! (copy-time time))))
       ...))))

(define-conversions
  (time-monotonic time-tai time-monotonic->time-tai time-monotonic->time-tai!)
  (time-monotonic time-utc time-monotonic->time-utc time-monotonic->time-utc!)
  (time-tai time-monotonic time-tai->time-monotonic time-tai->time-monotonic!)
  (time-tai time-utc time-tai->time-utc time-tai->time-utc!)
  (time-utc time-monotonic time-utc->time-monotonic time-utc->time-monotonic!)
  (time-utc time-tai time-utc->time-tai time-utc->time-tai!))

(define* (time-tai->date time #:optional (offset 0))
  (time-utc->date (time-tai->time-utc time) offset))
(define* (time-monotonic->date time #:optional (offset 0))
  (time-utc->date (time-monotonic->time-utc time) offset))
(define (date->time-tai date) (time-utc->time-tai! (date->time-utc date)))
(define (date->time-monotonic date) (time-utc->time-monotonic! (date->time-utc date)))

;;; Julian days: days, as exact numbers, since noon of the first of January, 4713 BC; modified ones
;;; since midnight of November the 17th, 1858.

(define modified-start 4800001/2)

(define (time-utc->julian-day time)
  (+ epoch-day -1/2 (/ (count time) (* seconds-per-day #e1e9))))
(define (time-tai->julian-day time) (time-utc->julian-day (time-tai->time-utc time)))
(define (time-monotonic->julian-day time) (time-utc->julian-day (time-monotonic->time-utc time)))
(define (date->julian-day date) (time-utc->julian-day (date->time-utc date)))

(define (time-utc->modified-julian-day time) (- (time-utc->julian-day time) modified-start))
(define (time-tai->modified-julian-day time) (- (time-tai->julian-day time) modified-start))
(define (time-monotonic->modified-julian-day time)
  (- (time-monotonic->julian-day time) modified-start))
(define (date->modified-julian-day date) (- (date->julian-day date) modified-start))

(define (julian-day->time-utc day)
  (nanoseconds->time
   time-utc
   (truncate (* (- (inexact->exact day) epoch-day -1/2) seconds-per-day #e1e9))))
(define (julian-day->time-tai day) (time-utc->time-tai! (julian-day->time-utc day)))
(define (julian-day->time-monotonic day) (time-utc->time-monotonic! (julian-day->time-utc day)))
(define* (julian-day->date day #:optional (offset 0))
  (time-utc->date (julian-day->time-utc day) offset))

(define (modified-julian-day->time-utc day) (julian-day->time-utc (+ day modified-start)))
(define (modified-julian-day->time-tai day) (julian-day->time-tai (+ day modified-start)))
(define (modified-julian-day->time-monotonic day)
  (julian-day->time-monotonic (+ day modified-start)))
(define* (modified-julian-day->date day #:optional (offset 0))
  (julian-day->date (+ day modified-start) offset))
