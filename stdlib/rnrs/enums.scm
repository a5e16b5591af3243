;;; (rnrs enums): sets of symbols out of a universe of them (R6RS Libraries, 14).

(define-module (rnrs enums)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:use-module (srfi srfi-9 gnu)
  #:export (make-enumeration enum-set-universe enum-set-indexer enum-set-constructor
            enum-set->list enum-set-member? enum-set-subset? enum-set=? enum-set-union
            enum-set-intersection enum-set-difference enum-set-complement enum-set-projection
            define-enumeration))

(define-record-type <enum-set>
  (enum-set universe symbols)
  enum-set?
  (universe universe-of)
  (symbols enum-set->list))

(set-record-type-printer! <enum-set>
  (lambda (set port)
    (format port "#<enum-set ~s>" (enum-set->list set))))

(define (ordered universe symbols)
  "The set of SYMBOLS, in the order of UNIVERSE."
  (enum-set universe (filter (lambda (symbol) (memq symbol symbols)) universe)))

(define (make-enumeration symbols)
  "The set of all SYMBOLS, which is a universe of its own."
  (let ((universe (delete-duplicates symbols eq?)))
    (enum-set universe universe)))

(define (enum-set-universe set)
  "All symbols that sets like SET can have, as a set."
  (enum-set (universe-of set) (universe-of set)))

(define (enum-set-indexer set)
  "A procedure that gives the number of a symbol in the universe of SET; #f if it is not there."
  (let ((universe (universe-of set)))
    (lambda (symbol) (list-index (lambda (known) (eq? known symbol)) universe))))

(define (enum-set-constructor set)
  "A procedure that makes a set, with the universe of SET, of a list of symbols."
  (let ((universe (universe-of set)))
    (lambda (symbols)
      (for-each (lambda (symbol)
                  (unless (memq symbol universe)
                    (assertion-violation 'enum-set-constructor
                                         "the universe has no such symbol" symbol)))
                symbols)
      (ordered universe symbols))))

(define (enum-set-member? symbol set)
  "Is SYMBOL in SET?"
  (and (memq symbol (enum-set->list set)) #t))

(define (enum-set-subset? a b)
  "Is all of A in B, and all of A's universe in B's?"
  (and (lset<= eq? (universe-of a) (universe-of b))
       (lset<= eq? (enum-set->list a) (enum-set->list b))))

(define (enum-set=? a b)
  "Have A and B the same symbols, and the same universes?"
  (and (enum-set-subset? a b) (enum-set-subset? b a)))

(define (same-universe who a b)
  (unless (lset= eq? (universe-of a) (universe-of b))
    (assertion-violation who "the sets are not of one universe" a b)))

(define (enum-set-union a b)
  "What is in A or in B."
  (same-universe 'enum-set-union a b)
  (ordered (universe-of a) (append (enum-set->list a) (enum-set->list b))))

(define (enum-set-intersection a b)
  "What is in A and in B."
  (same-universe 'enum-set-intersection a b)
  (ordered (universe-of a) (lset-intersection eq? (enum-set->list a) (enum-set->list b))))

(define (enum-set-difference a b)
  "What is in A and not in B."
  (same-universe 'enum-set-difference a b)
  (ordered (universe-of a) (lset-difference eq? (enum-set->list a) (enum-set->list b))))

(define (enum-set-complement set)
  "What is in the universe of SET, and not in it."
  (ordered (universe-of set)
           (lset-difference eq? (universe-of set) (enum-set->list set))))

(define (enum-set-projection a b)
  "What is in A and in the universe of B, as a set of that universe."
  (ordered (universe-of b) (enum-set->list a)))

(define-syntax define-enumeration
  (syntax-rules ()
    "(define-enumeration TYPE (SYMBOL ...) CONSTRUCTOR): (TYPE symbol) is the symbol, if it is one
of them; (CONSTRUCTOR symbol ...) is the set of such symbols."
    ((_ type (symbol ...) constructor)
     (begin
       (define make-set (enum-set-constructor (make-enumeration '(symbol ...))))
       (define-syntax type
         (syntax-rules (symbol ...)
           ((_ symbol) 'symbol) ...))
       (define-syntax constructor
         (syntax-rules ()
           ((_ . symbols) (make-set 'symbols))))))))
