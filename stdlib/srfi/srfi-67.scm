;;; (srfi srfi-67): compare procedures, which give -1, 0 or 1 for less, equal and greater.

(define-module (srfi srfi-67)
  #:use-module (srfi srfi-1)
  #:export (</<=? </<? <=/<=? <=/<? <=? <? =? >/>=? >/>? >=/>=? >=/>? >=? >? not=?
            boolean-compare chain<=? chain<? chain=? chain>=? chain>?
            char-compare char-compare-ci compare-by< compare-by<= compare-by=/< compare-by=/>
            compare-by> compare-by>= complex-compare cond-compare debug-compare default-compare
            if-not=? if3 if<=? if<? if=? if>=? if>? integer-compare
            kth-largest list-compare list-compare-as-vector max-compare min-compare
            number-compare pair-compare pair-compare-car pair-compare-cdr pairwise-not=?
            rational-compare real-compare refine-compare select-compare string-compare
            string-compare-ci symbol-compare vector-compare vector-compare-as-list))

;;; Branching on a comparison

(define-syntax-rule (if3 comparison less equal greater)
  "LESS, EQUAL or GREATER, as COMPARISON is -1, 0 or 1."
  (case comparison
    ((-1) less)
    ((0) equal)
    ((1) greater)
    (else (error "if3: -1, 0 or 1 is expected"))))

(define-syntax define-branches
  (syntax-rules ()
    ((_ (name less equal greater) ...)
     (begin
       (define-syntax name
         (syntax-rules ()
           ((_ comparison consequent)
            (name comparison consequent (if #f #f)))
           ((_ comparison consequent alternative)
            (if (if3 comparison less equal greater) consequent alternative))))
       ...))))

(define-branches
  (if=? #f #t #f)
  (if<? #t #f #f)
  (if>? #f #f #t)
  (if<=? #t #t #f)
  (if>=? #f #t #t)
  (if-not=? #t #f #t))

;;; Predicates from compare procedures

;; (=? [compare] [x y]): what is missing is asked for by the procedure that is returned.
(define (predicate holds?)
  (define (make compare)
    (lambda (x y) (holds? (compare x y))))
  (case-lambda
    (() (make default-compare))
    ((compare) (make compare))
    ((x y) (holds? (default-compare x y)))
    ((compare x y)
     (if (procedure? compare)
         (holds? (compare x y))
         (error "a compare procedure is expected, not" compare)))))

(define (less? c) (if3 c #t #f #f))
(define (equal-to? c) (if3 c #f #t #f))
(define (greater? c) (if3 c #f #f #t))
(define (less-or-equal? c) (if3 c #t #t #f))
(define (greater-or-equal? c) (if3 c #f #t #t))
(define (different? c) (if3 c #t #f #t))

(define =? (predicate equal-to?))
(define <? (predicate less?))
(define >? (predicate greater?))
(define <=? (predicate less-or-equal?))
(define >=? (predicate greater-or-equal?))
(define not=? (predicate different?))

;; (</<=? [compare] [x y z]): x < y <= z, and so on.
(define (range-predicate first? second?)
  (define (holds? compare x y z)
    (let ((xy (compare x y)) (yz (compare y z)))
      (and (first? xy) (second? yz))))
  (define (make compare)
    (lambda (x y z) (holds? compare x y z)))
  (case-lambda
    (() (make default-compare))
    ((compare) (make compare))
    ((x y z) (holds? default-compare x y z))
    ((compare x y z) (holds? compare x y z))))

(define </<? (range-predicate less? less?))
(define </<=? (range-predicate less? less-or-equal?))
(define <=/<? (range-predicate less-or-equal? less?))
(define <=/<=? (range-predicate less-or-equal? less-or-equal?))
(define >/>? (range-predicate greater? greater?))
(define >/>=? (range-predicate greater? greater-or-equal?))
(define >=/>? (range-predicate greater-or-equal? greater?))
(define >=/>=? (range-predicate greater-or-equal? greater-or-equal?))

;; (chain<? compare x ...): each argument is compared, so that all of them are checked.
(define (chain-predicate holds?)
  (lambda (compare . items)
    (when (and (pair? items) (null? (cdr items)))
      (compare (car items) (car items)))
    (let loop ((items items) (result #t))
      (if (or (null? items) (null? (cdr items)))
          result
          (let ((ok? (holds? (compare (car items) (cadr items)))))
            (loop (cdr items) (and result ok?)))))))

(define chain=? (chain-predicate equal-to?))
(define chain<? (chain-predicate less?))
(define chain>? (chain-predicate greater?))
(define chain<=? (chain-predicate less-or-equal?))
(define chain>=? (chain-predicate greater-or-equal?))

(define (pairwise-not=? compare . items)
  "Are no two of ITEMS equal?"
  (when (and (pair? items) (null? (cdr items)))
    (compare (car items) (car items)))
  (let ((sorted (sort items (lambda (x y) (less? (compare x y))))))
    (let loop ((items sorted))
      (or (null? items) (null? (cdr items))
          (and (different? (compare (car items) (cadr items)))
               (loop (cdr items)))))))

(define (extreme better?)
  (lambda (compare first . rest)
    (compare first first)
    (fold (lambda (item best) (if (better? (compare item best)) item best)) first rest)))

(define min-compare (extreme less?))
(define max-compare (extreme greater?))

(define (kth-largest compare k . items)
  "Number K of ITEMS in their order, counted from 0 and around."
  (when (null? items)
    (error "kth-largest: there are no items"))
  (list-ref (sort items (lambda (x y) (less? (compare x y))))
            (modulo k (length items))))

;;; Atoms

(define (check who what accept? . items)
  (for-each (lambda (item)
              (unless (accept? item)
                (error (string-append who ": " what " is expected, not") item)))
            items))

(define-syntax define-atom-compare
  (syntax-rules ()
    ((_ (name accept? same? less?) ...)
     (begin
       (define (name x y)
         (check (symbol->string 'name) (symbol->string 'accept?) accept? x y)
         (cond ((less? x y) -1)
               ((same? x y) 0)
               (else 1)))
       ...))))

(define (false<true? x y) (and (not x) y))
(define (symbol<? x y) (string<? (symbol->string x) (symbol->string y)))

(define (complex<? x y)
  (or (< (real-part x) (real-part y))
      (and (= (real-part x) (real-part y)) (< (imag-part x) (imag-part y)))))

(define-atom-compare
  (boolean-compare boolean? eq? false<true?)
  (char-compare char? char=? char<?)
  (char-compare-ci char? char-ci=? char-ci<?)
  (string-compare string? string=? string<?)
  (string-compare-ci string? string-ci=? string-ci<?)
  (symbol-compare symbol? eq? symbol<?)
  (integer-compare integer? = <)
  (rational-compare rational? = <)
  (real-compare real? = <)
  (complex-compare complex? = complex<?)
  (number-compare number? = complex<?))

;;; Sequences

(define (compare-prefixes compare size ref x y start)
  "By the elements that both X and Y have, from START on, then by SIZE."
  (let ((end (min (size x) (size y))))
    (let loop ((i start))
      (if (< i end)
          (let ((c (compare (ref x i) (ref y i))))
            (if (eqv? c 0) (loop (+ i 1)) c))
          (integer-compare (size x) (size y))))))

;; (vector-compare [compare] x y [size ref])
(define (with-defaults procedure default-size default-ref)
  (case-lambda
    ((x y) (procedure default-compare x y default-size default-ref))
    ((compare x y) (procedure compare x y default-size default-ref))
    ((x y size ref) (procedure default-compare x y size ref))
    ((compare x y size ref) (procedure compare x y size ref))))

(define vector-compare
  (with-defaults
   (lambda (compare x y size ref)
     (let ((c (integer-compare (size x) (size y))))
       (if (eqv? c 0) (compare-prefixes compare size ref x y 0) c)))
   vector-length vector-ref))

(define vector-compare-as-list
  (with-defaults
   (lambda (compare x y size ref) (compare-prefixes compare size ref x y 0))
   vector-length vector-ref))

;; (list-compare [compare] x y [empty? head tail])
(define (with-list-defaults procedure)
  (case-lambda
    ((x y) (procedure default-compare x y null? car cdr))
    ((compare x y) (procedure compare x y null? car cdr))
    ((x y empty? head tail) (procedure default-compare x y empty? head tail))
    ((compare x y empty? head tail) (procedure compare x y empty? head tail))))

(define (compare-lists compare x y empty? head tail)
  (cond ((empty? x) (if (empty? y) 0 -1))
        ((empty? y) 1)
        (else
         (let ((c (compare (head x) (head y))))
           (if (eqv? c 0)
               (compare-lists compare (tail x) (tail y) empty? head tail)
               c)))))

(define list-compare (with-list-defaults compare-lists))

(define list-compare-as-vector
  (with-list-defaults
   (lambda (compare x y empty? head tail)
     (let loop ((a x) (b y))
       (cond ((empty? a) (if (empty? b) (compare-lists compare x y empty? head tail) -1))
             ((empty? b) 1)
             (else (loop (tail a) (tail b))))))))

(define (pair-compare-car compare)
  (lambda (x y) (compare (car x) (car y))))

(define (pair-compare-cdr compare)
  (lambda (x y) (compare (cdr x) (cdr y))))

(define pair-compare
  (case-lambda
    ((compare-cars compare-cdrs x y)
     (let ((c (compare-cars (car x) (car y))))
       (if (eqv? c 0) (compare-cdrs (cdr x) (cdr y)) c)))
    ((compare x y)
     (cond ((null? x) (if (null? y) 0 -1))
           ((null? y) 1)
           ((not (pair? x)) (if (pair? y) -1 (compare x y)))
           ((not (pair? y)) 1)
           (else
            (let ((c (compare (car x) (car y))))
              (if (eqv? c 0) (pair-compare compare (cdr x) (cdr y)) c)))))
    ((x y) (pair-compare default-compare x y))))

;;; Of several types

(define-syntax refine-compare
  (syntax-rules ()
    "The first comparison that is not 0."
    ((_) 0)
    ((_ comparison) comparison)
    ((_ comparison more ...)
     (let ((c comparison))
       (if3 c c (refine-compare more ...) c)))))

(define-syntax select-compare
  (syntax-rules (else)
    "By the first predicate that accepts X or Y; the one that is accepted alone comes first."
    ((_ x y clause ...)
     (let ((a x) (b y))
       (select-clauses a b clause ...)))))

(define-syntax select-clauses
  (syntax-rules (else)
    ((_ x y) 0)
    ((_ x y (else comparison ...)) (refine-compare comparison ...))
    ((_ x y (type? comparison ...) clause ...)
     (let ((accept? type?))
       (if (accept? x)
           (if (accept? y) (refine-compare comparison ...) -1)
           (if (accept? y) 1 (select-clauses x y clause ...)))))))

(define-syntax cond-compare
  (syntax-rules (else)
    "As select-compare, with a test for each of the two."
    ((_) 0)
    ((_ (else comparison ...)) (refine-compare comparison ...))
    ((_ ((first second) comparison ...) clause ...)
     (let ((a first) (b second))
       (if a
           (if b (refine-compare comparison ...) -1)
           (if b 1 (cond-compare clause ...)))))))

(define (default-compare x y)
  "The order of all common data: (), pairs, booleans, characters, strings, symbols, numbers, vectors."
  (select-compare x y
    (null? 0)
    (pair? (default-compare (car x) (car y)) (default-compare (cdr x) (cdr y)))
    (boolean? (boolean-compare x y))
    (char? (char-compare x y))
    (string? (string-compare x y))
    (symbol? (symbol-compare x y))
    (number? (number-compare x y))
    (vector? (vector-compare default-compare x y))
    (else (error "default-compare: these have no common order:" x y))))

;;; Compare procedures from predicates

(define-syntax define-makers
  (syntax-rules ()
    ((_ (name (predicate ...) x y comparison) ...)
     (begin
       (define name
         (case-lambda
           ((predicate ...) (lambda (x y) comparison))
           ((predicate ... x y) comparison)))
       ...))))

(define-makers
  (compare-by< (lt) x y (cond ((lt x y) -1) ((lt y x) 1) (else 0)))
  (compare-by> (gt) x y (cond ((gt x y) 1) ((gt y x) -1) (else 0)))
  (compare-by<= (le) x y (if (le x y) (if (le y x) 0 -1) 1))
  (compare-by>= (ge) x y (if (ge x y) (if (ge y x) 0 1) -1))
  (compare-by=/< (eq lt) x y (cond ((eq x y) 0) ((lt x y) -1) (else 1)))
  (compare-by=/> (eq gt) x y (cond ((eq x y) 0) ((gt x y) 1) (else -1))))

(define (debug-compare compare)
  "COMPARE, which is checked on the way for being an order: reflexive, antisymmetric, transitive."
  (define seen '())                     ; the two that were compared last
  (define (checked x y)
    (let ((c (compare x y)))
      (unless (memv c '(-1 0 1))
        (error "debug-compare: a comparison is -1, 0 or 1, not" c x y))
      c))
  (lambda (x y)
    (let ((c (checked x y)))
      (unless (and (eqv? 0 (checked x x)) (eqv? 0 (checked y y)))
        (error "debug-compare: not reflexive:" x y))
      (unless (eqv? (checked y x) (- c))
        (error "debug-compare: not antisymmetric:" x y))
      (for-each
       (lambda (z)
         (let ((xz (checked x z)) (yz (checked y z)))
           (when (and (<= c 0) (<= yz 0) (not (= xz (min c yz))))
             (error "debug-compare: not transitive:" x y z))))
       seen)
      (set! seen (list x y))
      c)))
