;;; (rnrs records inspection): what records and their types are made of (R6RS Libraries, 6.4).

(define-module (rnrs records inspection)
  #:export ((transparent-record? . record?) record-rtd record-type-generative?
            record-type-sealed? record-type-field-names record-field-mutable?)
  #:re-export (record-type-name record-type-parent record-type-uid record-type-opaque?))

(define (transparent-record? obj)
  "Is OBJ a record, and not of an opaque type?"
  (and (record? obj) (not (record-type-opaque? (record-type-descriptor obj)))))

(define (record-rtd record)
  "The type of RECORD, which must not be opaque."
  (let ((rtd (record-type-descriptor record)))
    (when (record-type-opaque? rtd)
      (assertion-violation 'record-rtd "the record is opaque" record))
    rtd))

(define (record-type-generative? rtd)
  "Does each evaluation of the definition of RTD make another type?"
  (not (record-type-uid rtd)))

(define (record-type-sealed? rtd)
  "Can no other type extend RTD?"
  (not (record-type-extensible? rtd)))

(define (inherited-count rtd)
  "How many fields RTD has of the type that it extends."
  (let ((parent (record-type-parent rtd)))
    (if parent (length (record-type-fields parent)) 0)))

(define (record-type-field-names rtd)
  "A vector of the names of the fields that RTD adds to those of its parent."
  (list->vector (list-tail (record-type-fields rtd) (inherited-count rtd))))

(define (record-field-mutable? rtd k)
  "Can field number K, among those that RTD adds, be changed?"
  (and (memv (+ k (inherited-count rtd)) (record-type-mutable-fields rtd)) #t))
