;;; (rnrs records syntactic): definitions of record types (R6RS Libraries, 6.2).
;;;
;;; The name of a type is a variable with the type; how its records are made is in a table.

(define-module (rnrs records syntactic)
  #:use-module (srfi srfi-1)
  #:use-module (rnrs records procedural)
  #:export (define-record-type record-type-descriptor record-constructor-descriptor))

(define descriptors (make-weak-key-hash-table))

(define-syntax-rule (record-type-descriptor name)
  "The record type that NAME is defined as."
  name)

(define-syntax-rule (record-constructor-descriptor name)
  "The constructor descriptor of the record type that NAME is defined as."
  (hashq-ref descriptors name))

(define-syntax define-record-type
  (lambda (x)
    "(define-record-type name clause ...) or (define-record-type (name constructor predicate)
clause ...): the clauses are (fields field ...), (parent name), (protocol procedure), (sealed #t),
(opaque #t), (nongenerative uid) and (parent-rtd type constructor-descriptor)."

    (define (refuse message form)
      (syntax-violation 'define-record-type message x form))

    (define (name-of . parts)
      (string->symbol
       (string-concatenate
        (map (lambda (part) (if (string? part) part (symbol->string (syntax->datum part))))
             parts))))

    (define (clause keyword clauses)
      "What stands in the clause KEYWORD, as a list, or #f."
      (let ((found (filter (lambda (one) (eq? keyword (syntax->datum (car one)))) clauses)))
        (when (and (pair? found) (pair? (cdr found)))
          (refuse "a clause is given twice" (cadr found)))
        (and (pair? found) (cdar found))))

    (define (flag keyword clauses)
      (let ((given (clause keyword clauses)))
        (and given (pair? given) (syntax->datum (car given)))))

    (define (field-of type spec)
      "Of a field: its declaration, the name of its accessor, and that of its mutator or #f."
      (define (accessor field)
        (datum->syntax type (name-of type "-" field)))
      (define (mutator field)
        (datum->syntax type (name-of type "-" field "-set!")))
      (define (kind? symbol id)
        (eq? symbol (syntax->datum id)))
      (syntax-case spec ()
        (field (identifier? #'field)
         (list #'(immutable field) (accessor #'field) #f))
        ((kind field) (kind? 'immutable #'kind)
         (list #'(immutable field) (accessor #'field) #f))
        ((kind field get) (kind? 'immutable #'kind)
         (list #'(immutable field) #'get #f))
        ((kind field) (kind? 'mutable #'kind)
         (list #'(mutable field) (accessor #'field) (mutator #'field)))
        ((kind field get set) (kind? 'mutable #'kind)
         (list #'(mutable field) #'get #'set))
        (_ (refuse "a field is NAME, (immutable NAME [ACCESSOR]) or (mutable NAME [ACCESSOR MUTATOR])"
                   spec))))

    (define (known-clauses clauses)
      (for-each (lambda (one)
                  (unless (memq (syntax->datum (car one))
                                '(fields parent protocol sealed opaque nongenerative parent-rtd))
                    (refuse "unknown clause" (car one))))
                clauses)
      clauses)

    (define (expansion type constructor predicate clauses)
      (let* ((fields (map (lambda (spec) (field-of type spec)) (or (clause 'fields clauses) '())))
             (numbered (map cons (iota (length fields)) fields))
             (changing (filter cadddr numbered))
             (parent (clause 'parent clauses))
             (types (clause 'parent-rtd clauses))
             (unique (clause 'nongenerative clauses))
             (protocol (clause 'protocol clauses)))
        (with-syntax
            ((type type) (constructor constructor) (predicate predicate)
             (extended (cond (parent (car parent)) (types (car types)) (else #'#f)))
             (above (cond (parent #`(record-constructor-descriptor #,(car parent)))
                          (types (cadr types))
                          (else #'#f)))
             (uid (if (and unique (pair? unique)) #`'#,(car unique) #'#f))
             (sealed? (flag 'sealed clauses))
             (opaque? (flag 'opaque clauses))
             (protocol (if protocol (car protocol) #'#f))
             ((declaration ...) (map cadr numbered))
             (((k . get) ...) (map (lambda (one) (cons (car one) (caddr one))) numbered))
             (((j . set) ...) (map (lambda (one) (cons (car one) (cadddr one))) changing)))
          #'(begin
              (define type
                (let ((rtd (make-record-type-descriptor 'type extended uid sealed? opaque?
                                                        #(declaration ...))))
                  (hashq-set! descriptors rtd
                              (make-record-constructor-descriptor rtd above protocol))
                  rtd))
              (define constructor (record-constructor (record-constructor-descriptor type)))
              (define predicate (record-predicate type))
              (define get (record-accessor type k)) ...
              (define set (record-mutator type j)) ...))))

    (syntax-case x ()
      ((_ (type constructor predicate) (keyword . rest) ...)
       (expansion #'type #'constructor #'predicate
                  (known-clauses #'((keyword . rest) ...))))
      ((_ type (keyword . rest) ...) (identifier? #'type)
       (expansion #'type
                  (datum->syntax #'type (name-of "make-" #'type))
                  (datum->syntax #'type (name-of #'type "?"))
                  (known-clauses #'((keyword . rest) ...)))))))
