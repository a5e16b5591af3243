;;; SRFI 64: test suites, run by runners of their own so that what fails is looked at, not reported.
(use-modules (srfi srfi-64) (srfi srfi-1))

;; Counts of a suite: passed, failed, passed and failed against expectation, skipped.
(define-syntax-rule (counts form ...)
  (let ((runner (test-runner-null)))
    (test-with-runner runner
      (test-begin "inner")
      form ...
      (test-end "inner"))
    (list (test-runner-pass-count runner) (test-runner-fail-count runner)
          (test-runner-xpass-count runner) (test-runner-xfail-count runner)
          (test-runner-skip-count runner))))

(define inner-counts
  (list (counts (test-assert #t) (test-assert 5) (test-assert #f))
        (counts (test-equal '(1 2) (list 1 2)) (test-equal "a" "b"))
        (counts (test-eq 'a 'a) (test-eq '(a) (list 'a)))
        (counts (test-eqv 1.5 1.5) (test-eqv 2 2.0))
        (counts (test-approximate 1.0 1.05 0.1) (test-approximate 1.0 1.5 0.1))
        (counts (test-error #t (car 5)) (test-error #t 5))
        (counts (test-assert "named" #t) (test-equal "named too" 3 (+ 1 2)))
        (counts (test-assert (error "raised")))
        (counts (test-expect-fail 1) (test-assert #f) (test-assert #t))
        (counts (test-expect-fail "odd") (test-assert "odd" #t) (test-assert "other" #t))
        (counts (test-skip 1) (test-assert #f) (test-assert #t))
        (counts (test-skip "a") (test-assert "a" #f) (test-assert "b" #t))
        (counts (test-skip (test-match-all "a" (test-match-nth 2)))
                (test-assert "a" #t) (test-assert "a" #f) (test-assert "a" #t))
        (counts (test-skip (test-match-any "a" "b"))
                (test-assert "a" #f) (test-assert "b" #f) (test-assert "c" #t))
        (counts (test-skip (test-match-nth 2 2))
                (test-assert #t) (test-assert #f) (test-assert #f) (test-assert #t))
        (counts (test-group "g" (test-assert #t) (test-assert #f)) (test-assert #t))))

(define order '())
(define (note! x) (set! order (cons x order)))
(define watched
  (let ((runner (test-runner-null)))
    (test-runner-on-group-begin! runner (lambda (r name count) (note! (list 'begin name count))))
    (test-runner-on-group-end! runner (lambda (r) (note! 'end)))
    (test-runner-on-test-end! runner
      (lambda (r) (note! (list (test-runner-test-name r) (test-result-kind r)
                               (test-runner-group-path r)))))
    (test-runner-on-final! runner (lambda (r) (note! 'final)))
    (test-runner-aux-value! runner 'aux)
    (test-with-runner runner
      (test-begin "outer" 2)
      (test-begin "inner")
      (test-assert "yes" #t)
      (test-end "inner")
      (test-equal "no" 1 2)
      (test-end "outer"))
    (reverse order)))

(define cleaned
  (let ((trace '()) (runner (test-runner-null)))
    (test-with-runner runner
      (test-begin "c")
      (test-group-with-cleanup "g"
        (test-assert #t)
        (set! trace (cons 'body trace))
        (set! trace (cons 'cleanup trace)))
      (test-end "c"))
    (reverse trace)))

(define results
  (let ((runner (test-runner-null)) (seen '()))
    (test-runner-on-test-end! runner
      (lambda (r)
        (set! seen (list (test-result-ref r 'expected-value) (test-result-ref r 'actual-value)
                         (test-result-ref r 'nothing 'default)))))
    (test-with-runner runner
      (test-begin "r")
      (test-equal 3 (+ 1 1))
      (test-end "r"))
    seen))

(define-syntax-rule (forms form ...)
  (let ((runner (test-runner-null)) (seen '()))
    (test-runner-on-test-end! runner
      (lambda (r)
        (set! seen (cons (list (test-result-ref r 'source-form) (test-result-ref r 'actual-value 0)
                               (test-result-kind r))
                         seen))))
    (test-with-runner runner
      (test-begin "forms")
      form ...
      (test-end "forms"))
    (reverse seen)))
(define-syntax-rule (is-five form) (test-eqv "five" 5 form))

(test-begin "srfi-64")
(test-equal '(((test-equal "named" 3 (+ 1 2)) 3 pass) ((test-eq 'a (car 2)) #f fail)
              ((test-eqv "five" 5 (+ 2 3)) 5 pass) ((test-assert (= 1 2)) #f fail)
              ((test-approximate 1.0 1.05 0.1) 1.05 pass)
              ((test-error "err" #t (car 1)) 0 pass) ((test-error (list 1)) (1) fail)
              ((test-assert "skip" #t) 0 skip))
  (forms (test-equal "named" 3 (+ 1 2)) (test-eq 'a (car 2)) (is-five (+ 2 3))
         (test-assert (= 1 2)) (test-approximate 1.0 1.05 0.1) (test-error "err" #t (car 1))
         (test-error (list 1)) (test-skip "skip") (test-assert "skip" #t)))
(test-assert
  (let ((runner (test-runner-null)))
    (test-with-runner runner
      (test-begin "place")
      (test-assert #t)
      (test-assert #t)
      (let ((line (test-result-ref runner 'source-line)))
        (test-assert #t)
        (and (= 2 (- (test-result-ref runner 'source-line) line))
             (string-suffix? "srfi-64.scm" (test-result-ref runner 'source-file)))))))
(test-equal '((2 1 0 0 0) (1 1 0 0 0) (1 1 0 0 0) (1 1 0 0 0) (1 1 0 0 0) (1 1 0 0 0) (2 0 0 0 0)
              (0 1 0 0 0) (1 0 0 1 0) (1 0 1 0 0) (1 0 0 0 1) (1 0 0 0 1) (2 0 0 0 1) (1 0 0 0 2)
              (2 0 0 0 2) (2 1 0 0 0))
  inner-counts)
(test-equal '((begin "outer" 2) (begin "inner" #f) ("yes" pass ("outer" "inner")) end
              ("no" fail ("outer")) end final)
  watched)
(test-equal '(body cleanup) cleaned)
(test-equal '(3 2 default) results)
(test-assert (test-runner? (test-runner-null)))
(test-assert (not (test-runner? 5)))
(test-equal 7 (test-read-eval-string "(+ 3 4)"))
(test-equal 'aux (let ((r (test-runner-null))) (test-runner-aux-value! r 'aux) (test-runner-aux-value r)))
(test-equal '(1 2 3 4 5 ("b" "a") ("a" "b") 7)
  (let ((r (test-runner-null)))
    (test-runner-pass-count! r 1)
    (test-runner-fail-count! r 2)
    (test-runner-xpass-count! r 3)
    (test-runner-xfail-count! r 4)
    (test-runner-skip-count! r 5)
    (test-runner-group-stack! r '("b" "a"))
    (test-result-alist! r '((x . 7)))
    (list (test-runner-pass-count r) (test-runner-fail-count r) (test-runner-xpass-count r)
          (test-runner-xfail-count r) (test-runner-skip-count r) (test-runner-group-stack r)
          (test-runner-group-path r) (test-result-ref r 'x))))
(test-group "results"
  (define runner (test-runner-null))
  (define seen '())
  (test-runner-on-test-end! runner
    (lambda (r)
      (test-result-set! r 'mine (list (and (test-passed? r) #t) (test-result-kind r)))
      ;; where Guile errs
      (cond-expand
       (kiln
        (test-result-set! r 'gone 1)
        (test-result-remove r 'gone))
       (else))
      (set! seen (cons (list (test-result-ref r 'mine) (test-result-ref r 'gone)
                             (pair? (assq 'mine (test-result-alist r))))
                       seen))
      (test-result-clear r)))
  (test-runner-on-test-begin! runner (lambda (r) (set! seen (cons 'begin seen))))
  (test-with-runner runner
    (test-begin "r")
    (test-assert #t)
    (test-assert #f)
    (test-end "r"))
  (test-equal '(begin ((#t pass) #f #t) begin ((#f fail) #f #t)) (reverse seen))
  (test-assert (procedure? (test-runner-on-test-begin runner)))
  (test-assert (procedure? (test-runner-on-test-end runner)))
  (test-assert (procedure? (test-runner-on-group-begin runner)))
  (test-assert (procedure? (test-runner-on-group-end runner)))
  (test-assert (procedure? (test-runner-on-final runner)))
  (test-equal '(1 1) (list (test-runner-pass-count runner) (test-runner-fail-count runner)))
  (test-runner-reset runner)
  (test-equal '(0 0) (list (test-runner-pass-count runner) (test-runner-fail-count runner))))

(test-group "runners"
  (test-equal '(#t #t)
    (let ((runner (test-runner-null)))
      (test-with-runner runner
        (list (eq? runner (test-runner-current)) (eq? runner (test-runner-get))))))
  (test-equal '(#t #t)
    (let ((before (test-runner-factory)))
      (test-runner-factory test-runner-null)
      (let ((made (test-runner-create)))
        (test-runner-factory before)
        (list (test-runner? made) (eq? before (test-runner-factory))))))
  (test-equal '(1 0 1)
    (let ((runner (test-runner-null)))
      (test-apply runner (test-match-name "a")
        (lambda () (test-begin "g") (test-assert "a" #t) (test-assert "b" #f) (test-end "g")))
      (list (test-runner-pass-count runner) (test-runner-fail-count runner)
            (test-runner-skip-count runner))))
  (test-equal '((bad-count 1 2) (bad-end "x" "g"))
    (let ((runner (test-runner-null)) (seen '()))
      (test-runner-on-bad-count! runner
        (lambda (r actual expected) (set! seen (cons (list 'bad-count actual expected) seen))))
      (test-runner-on-bad-end-name! runner
        (lambda (r begin end) (set! seen (cons (list 'bad-end begin end) seen))))
      (test-with-runner runner
        (test-begin "f" 2)
        (test-assert #t)
        (test-end "f")
        (test-begin "g")
        (test-end "x"))
      (reverse (map (lambda (s) (if (equal? s '(bad-end "g" "x")) '(bad-end "x" "g") s)) seen))))
  (test-equal '(#t #t)
    (let ((runner (test-runner-null)))
      (list (procedure? (test-runner-on-bad-count runner)) (procedure? (test-runner-on-bad-end-name runner)))))
  (test-assert
    (let ((text (with-output-to-string
                  (lambda ()
                    (let ((runner (test-runner-simple)))
                      (set! test-log-to-file #f)
                      (test-with-runner runner
                        (test-begin "simple")
                        (test-assert "good" #t)
                        (test-assert "bad" #f)
                        (test-end "simple")))))))
      (every (lambda (part) (string-contains text part))
             '("%%%% Starting test simple\n" "srfi-64.scm:" ": FAIL bad\n" "passes      1\n" "failures  1\n"))))
  (test-equal '(#t #t)
    (let ((runner (test-runner-null)) (found #f))
      (test-runner-on-test-end! runner
        (lambda (r) (set! found (list (string? (test-result-ref r 'source-file)) (exact-integer? (test-result-ref r 'source-line))))))
      (test-with-runner runner (test-begin "place") (test-assert #t) (test-end "place"))
      found))
  (test-assert
    (every procedure? (list test-on-group-begin-simple test-on-group-end-simple test-on-test-end-simple
                            test-on-final-simple test-on-bad-count-simple test-on-bad-end-name-simple))))
(test-end "srfi-64")
