;;; (rnrs arithmetic checks): what operations on one kind of numbers demand.

(define-module (rnrs arithmetic checks)
  #:export (checked))

(define (checked valid? kind who numbers)
  "NUMBERS, operands of WHO, if all of them are VALID?: each a number of KIND, a text."
  (for-each (lambda (number)
              (unless (valid? number)
                (assertion-violation who (string-append "a " kind " is expected") number)))
            numbers)
  numbers)
