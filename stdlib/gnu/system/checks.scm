;;; Sanitizers of record fields: each gives back a fitting value, or says what would fit.
(define-module (gnu system checks)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-14)
  #:use-module (srfi srfi-35)
  #:use-module (guix records)
  #:use-module (gnu system spelling)
  #:export (ensure ensure-list ensure-optional ensure-string ensure-line ensure-boolean
            ensure-kernel-arguments not-yet one-of store-name?))

(define (refuse text value hint)
  "Raise an error: the field must be as TEXT says, and VALUE is not. A long value is cut short."
  (let ((message (string-append "this must be " text " " (brief value))))
    (if hint
        (raise (condition (&error) (&message (message message)) (&fix-hint (hint hint))))
        (error message))))

;; So many characters of a value are shown.
(define %most-shown 200)

(define (brief value)
  (let* ((text (object->string value)) (blank (string-index text #\space)))
    (cond ((and (record? value) blank) (string-append (substring text 0 blank) " …>"))
          ((> (string-length text) %most-shown)
           (string-append (substring text 0 %most-shown) " …"))
          (else text))))

(define* (ensure valid? description #:optional (hint '()))
  "A procedure that gives back its argument if it is VALID?, and else says that the field must be
DESCRIPTION, with HINT: a text, or names of which one was probably meant."
  (lambda (value)
    (if (valid? value)
        value
        (refuse (string-append description ", not") value
                (cond ((string? hint) hint)
                      ((null? hint) #f)
                      (else (what-was-meant value hint (if (symbol? (car hint)) "'" ""))))))))

(define (ensure-optional valid? description)
  "As ensure, with #f being right, too."
  (ensure (lambda (value) (or (not value) (valid? value))) (string-append description " or #f")))

(define* (ensure-list valid? description #:optional (choices '()))
  "A procedure that checks that its argument is a list of what is VALID?, named by DESCRIPTION."
  (lambda (value)
    (unless (list? value)
      (refuse (string-append "a list of " description ", not") value #f))
    (for-each (lambda (item)
                (unless (valid? item)
                  (refuse (string-append "a list of " description "; this in it is not one:")
                          item (what-was-meant item choices ""))))
              value)
    value))

;; Its argument, which must be a string.
(define ensure-string (ensure string? "a string"))
;; Its argument, which must be #t or #f.
(define ensure-boolean (ensure boolean? "#t or #f"))

(define (line? value)
  (and (string? value)
       (not (string-null? value))
       (not (string-any char-set:iso-control value))))

;; Its argument, which must be text on one line.
(define ensure-line (ensure line? "a line of text"))
;; Its argument, which must be a list of what a kernel can read back from its command line.
(define ensure-kernel-arguments
  (ensure-list (lambda (value) (and (line? value) (not (string-index value #\"))))
               "strings without double quotes, of one line each"))

(define (one-of choices)
  "A procedure that checks that its argument is one of the symbols CHOICES."
  (ensure (lambda (value) (memq value choices))
          (string-append "one of " (string-join (map symbol->string choices) ", "))
          choices))

(define (store-name? value)
  "Can VALUE be the name of an item in the store, with what says its format behind?"
  (let ((name (if (symbol? value) (symbol->string value) value)))
    (and (string? name)
         (< 0 (string-length name) 200)
         (not (memv (string-ref name 0) '(#\. #\-)))
         (string-every %name-characters name))))

(define %name-characters
  (string->char-set "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-._?="))

(define (not-yet field default)
  "A procedure for a FIELD that Guix has and Kiln does not honour yet: only DEFAULT is right."
  (lambda (value)
    (unless (equal? value default)
      (error (string-append "Kiln does not honour the field " field " yet; leave it out")))
    value))
