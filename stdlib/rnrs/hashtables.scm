;;; (rnrs hashtables): hash tables as R6RS has them (Libraries, 13).

(define-module (rnrs hashtables)
  #:use-module (srfi srfi-9)
  #:use-module (srfi srfi-9 gnu)
  #:use-module ((srfi srfi-69) #:prefix table-)
  #:export (make-eq-hashtable make-eqv-hashtable make-hashtable hashtable? hashtable-size
            hashtable-ref hashtable-set! hashtable-delete! hashtable-contains? hashtable-update!
            hashtable-copy hashtable-clear! hashtable-keys hashtable-entries
            hashtable-equivalence-function hashtable-hash-function hashtable-mutable? equal-hash)
  #:re-export (string-hash (table-string-ci-hash . string-ci-hash) symbol-hash))

(define-record-type <hashtable>
  (hashtable entries equivalence hash mutable?)
  hashtable?
  (entries entries)
  (equivalence hashtable-equivalence-function)
  (hash hashtable-hash-function)
  (mutable? hashtable-mutable?))

(set-record-type-printer! <hashtable>
  (lambda (table port)
    (format port "#<hashtable ~a>" (hashtable-size table))))

(define* (make-eq-hashtable #:optional size)
  "An empty hash table that compares keys with eq?."
  (hashtable (table-make-hash-table eq?) eq? #f #t))

(define* (make-eqv-hashtable #:optional size)
  "An empty hash table that compares keys with eqv?."
  (hashtable (table-make-hash-table eqv?) eqv? #f #t))

(define* (make-hashtable hash equivalence #:optional size)
  "An empty hash table that compares keys with EQUIVALENCE, which HASH goes with."
  (hashtable (table-make-hash-table equivalence (lambda (key . bound) (hash key)))
             equivalence hash #t))

(define (changing who table)
  "The entries of TABLE, if they can be changed."
  (unless (hashtable-mutable? table)
    (assertion-violation who "the hash table cannot be changed" table))
  (entries table))

(define (hashtable-size table)
  "How many keys TABLE has."
  (table-hash-table-size (entries table)))

(define (hashtable-ref table key default)
  "What TABLE has for KEY, or DEFAULT."
  (table-hash-table-ref/default (entries table) key default))

(define (hashtable-set! table key obj)
  "Let TABLE have OBJ for KEY."
  (table-hash-table-set! (changing 'hashtable-set! table) key obj))

(define (hashtable-delete! table key)
  "Let TABLE have nothing for KEY."
  (table-hash-table-delete! (changing 'hashtable-delete! table) key))

(define (hashtable-contains? table key)
  "Has TABLE something for KEY?"
  (table-hash-table-exists? (entries table) key))

(define (hashtable-update! table key proc default)
  "Let TABLE have for KEY what PROC gives for what it had, or for DEFAULT."
  (table-hash-table-update!/default (changing 'hashtable-update! table) key proc default))

(define* (hashtable-copy table #:optional mutable?)
  "A copy of TABLE, which can be changed if MUTABLE? is true."
  (hashtable (table-hash-table-copy (entries table)) (hashtable-equivalence-function table)
             (hashtable-hash-function table) mutable?))

(define* (hashtable-clear! table #:optional size)
  "Let TABLE have nothing."
  (let ((all (changing 'hashtable-clear! table)))
    (for-each (lambda (key) (table-hash-table-delete! all key)) (table-hash-table-keys all))))

(define (hashtable-keys table)
  "A vector of the keys of TABLE."
  (list->vector (table-hash-table-keys (entries table))))

(define (hashtable-entries table)
  "A vector of the keys of TABLE, and one of what it has for them."
  (let ((pairs (table-hash-table->alist (entries table))))
    (values (list->vector (map car pairs)) (list->vector (map cdr pairs)))))

(define (equal-hash obj)
  "A number that equal? objects share."
  (table-hash obj))
