;;; (rnrs records procedural): record types that extend others, by procedures (R6RS Libraries, 6.3).
;;;
;;; A constructor descriptor holds a protocol: a procedure that makes the constructor that programs
;;; call from one that takes the fields or, where a type is extended, what the parent's takes.

(define-module (rnrs records procedural)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:use-module (rnrs records inspection)
  #:export (make-record-type-descriptor record-type-descriptor? make-record-constructor-descriptor
            (constructor . record-constructor) (accessor . record-accessor)
            (mutator . record-mutator))
  #:re-export (record-predicate))

(define-record-type <constructor-descriptor>
  (descriptor rtd parent protocol)
  descriptor?
  (rtd descriptor-rtd)
  (parent descriptor-parent)
  (protocol descriptor-protocol))

(define (make-record-type-descriptor name parent uid sealed? opaque? fields)
  "A record type with FIELDS, a vector of (mutable NAME) and (immutable NAME)."
  (make-record-type name (vector->list fields) #:parent parent #:uid uid
                    #:extensible? (not sealed?)
                    #:opaque? (or opaque? (and parent (record-type-opaque? parent)))
                    #:allow-duplicate-field-names? #t))

(define (record-type-descriptor? obj)
  "Is OBJ a record type?"
  (record-type? obj))

(define (make-record-constructor-descriptor rtd parent protocol)
  "How records of RTD are made; PARENT says so for the type that it extends. Both can be #f."
  (let ((extended (record-type-parent rtd)))
    (when (and parent (not (eq? (descriptor-rtd parent) extended)))
      (assertion-violation 'make-record-constructor-descriptor
                           "the parent is one of another record type" parent))
    (descriptor rtd
                (or parent
                    (and extended (make-record-constructor-descriptor extended #f #f)))
                (or protocol (default-protocol rtd extended)))))

(define (default-protocol rtd extended)
  "The protocol for a constructor that takes all fields, those of EXTENDED first."
  (if extended
      (lambda (make)
        (lambda values
          (let ((first (- (length values) (vector-length (record-type-field-names rtd)))))
            (when (negative? first)
              (assertion-violation (record-type-name rtd) "too few fields are given" values))
            (apply (apply make (take values first)) (drop values first)))))
      (lambda (make) make)))

(define (constructor descriptor)
  "The procedure that makes records as DESCRIPTOR says."
  (made-by descriptor (record-constructor (descriptor-rtd descriptor))))

(define (made-by descriptor make)
  "The constructor that DESCRIPTOR says, where MAKE takes the fields."
  (let ((parent (descriptor-parent descriptor)))
    ((descriptor-protocol descriptor)
     (if parent
         (lambda inherited
           (lambda own
             (apply (made-by parent (lambda above (apply make (append above own)))) inherited)))
         make))))

(define (own-field rtd k)
  "The number, among all fields, of number K of those that RTD adds."
  (+ k (- (length (record-type-fields rtd)) (vector-length (record-type-field-names rtd)))))

(define (accessor rtd k)
  "The procedure that gives field number K, among those that RTD adds, of a record."
  (record-accessor rtd (own-field rtd k)))

(define (mutator rtd k)
  "The procedure that changes field number K, among those that RTD adds, of a record."
  (record-modifier rtd (own-field rtd k)))
