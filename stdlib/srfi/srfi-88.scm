;;; (srfi srfi-88): keyword objects. They are written #:name here, not name:.

(define-module (srfi srfi-88)
  #:export (string->keyword keyword->string)
  #:re-export (keyword?))

(define (string->keyword name)
  "The keyword of that name."
  (symbol->keyword (string->symbol name)))

(define (keyword->string keyword)
  "The name of a keyword, as a string."
  (symbol->string (keyword->symbol keyword)))
