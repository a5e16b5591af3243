;;; Sanitizers of record fields: each gives back a fitting value, or says what would fit.
(define-module (gnu system checks)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-14)
  #:export (ensure ensure-list ensure-optional ensure-string ensure-line ensure-boolean
            ensure-kernel-arguments not-yet one-of store-name?))

(define (ensure valid? description)
  "A procedure that gives back its argument if it is VALID?, and else says that the field must be
DESCRIPTION."
  (lambda (value)
    (if (valid? value)
        value
        (error (string-append "this must be " description ", not") value))))

(define (ensure-optional valid? description)
  "As ensure, with #f being right, too."
  (ensure (lambda (value) (or (not value) (valid? value))) (string-append description " or #f")))

(define (ensure-list valid? description)
  "A procedure that checks that its argument is a list of what is VALID?, named by DESCRIPTION."
  (lambda (value)
    (unless (list? value)
      (error (string-append "this must be a list of " description ", not") value))
    (for-each (lambda (item)
                (unless (valid? item)
                  (error (string-append "this must be a list of " description
                                        "; this in it is not one:")
                         item)))
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
          (string-append "one of " (string-join (map symbol->string choices) ", "))))

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
