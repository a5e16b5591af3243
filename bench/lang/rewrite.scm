;; A small nboyer: terms are rewritten by rules that are matched with one-way unification.
(define rules '())
(define (add-rule! left right)
  (let ((known (assq (car left) rules)))
    (if known
        (set-cdr! known (cons (cons left right) (cdr known)))
        (set! rules (cons (list (car left) (cons left right)) rules)))))

;; An alist that makes PATTERN, whose symbols are variables, equal to TERM; or #f.
(define (unify term pattern bindings)
  (cond ((symbol? pattern)
         (let ((bound (assq pattern bindings)))
           (if bound
               (and (equal? (cdr bound) term) bindings)
               (cons (cons pattern term) bindings))))
        ((pair? pattern)
         (and (pair? term)
              (eq? (car term) (car pattern))
              (unify-all (cdr term) (cdr pattern) bindings)))
        (else (and (equal? term pattern) bindings))))

(define (unify-all terms patterns bindings)
  (cond ((null? terms) (and (null? patterns) bindings))
        ((null? patterns) #f)
        (else
         (let ((bindings (unify (car terms) (car patterns) bindings)))
           (and bindings (unify-all (cdr terms) (cdr patterns) bindings))))))

(define (substitute bindings term)
  (cond ((symbol? term)
         (let ((bound (assq term bindings))) (if bound (cdr bound) term)))
        ((pair? term)
         (cons (car term) (map (lambda (part) (substitute bindings part)) (cdr term))))
        (else term)))

(define (rewrite term)
  (if (pair? term)
      (rewrite-with (cons (car term) (map rewrite (cdr term)))
                    (let ((known (assq (car term) rules))) (if known (cdr known) '())))
      term))

(define (rewrite-with term rules)
  (if (null? rules)
      term
      (let ((bindings (unify term (car (car rules)) '())))
        (if bindings
            (rewrite (substitute bindings (cdr (car rules))))
            (rewrite-with term (cdr rules))))))

(define (term-size term)
  (if (pair? term) (+ 1 (apply + (map term-size (cdr term)))) 1))

(define (nest n)
  (if (= n 0) '(s (s zero)) (list 'plus (nest (- n 1)) (list 'times '(s (s (zero))) (nest (- n 1))))))

(define (run)
  (set! rules '())
  (add-rule! '(plus (zero) x) 'x)
  (add-rule! '(plus (s x) y) '(s (plus x y)))
  (add-rule! '(times (zero) x) '(zero))
  (add-rule! '(times (s x) y) '(plus y (times x y)))
  (term-size (rewrite (nest 5))))
