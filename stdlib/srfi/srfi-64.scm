;;; SRFI 64: a Scheme API for test suites.
;;;
;;; A check is a macro that hands its expression over as a thunk, with the place where it stands.
;;; Results go to the current runner, which counts them and keeps those that are not as wanted
;;; (test-runner-failures, an addition to the SRFI). The simple runner writes to the current
;;; output port and, in a build, to a log file: as in Guile, test-log-to-file is the file's name,
;;; #t for that of the suite with .log, or #f.

(define-module (srfi srfi-64)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:use-module (srfi srfi-34)
  #:use-module (srfi srfi-35)
  #:export (test-begin test-end test-group test-group-with-cleanup
            test-assert test-eqv test-eq test-equal test-approximate test-error
            test-read-eval-string test-apply test-with-runner
            test-match-name test-match-nth test-match-any test-match-all
            test-skip test-expect-fail
            test-runner? test-runner-null test-runner-simple test-runner-current
            test-runner-get test-runner-create test-runner-factory test-runner-reset
            test-runner-pass-count test-runner-fail-count test-runner-xpass-count
            test-runner-xfail-count test-runner-skip-count test-runner-test-name
            test-runner-pass-count! test-runner-fail-count! test-runner-xpass-count!
            test-runner-xfail-count! test-runner-skip-count! test-runner-group-stack!
            test-runner-group-path test-runner-group-stack test-runner-failures
            test-runner-aux-value test-runner-aux-value!
            test-runner-on-test-begin test-runner-on-test-begin!
            test-runner-on-test-end test-runner-on-test-end!
            test-runner-on-group-begin test-runner-on-group-begin!
            test-runner-on-group-end test-runner-on-group-end!
            test-runner-on-final test-runner-on-final!
            test-runner-on-bad-count test-runner-on-bad-count!
            test-runner-on-bad-end-name test-runner-on-bad-end-name!
            test-on-group-begin-simple test-on-group-end-simple
            test-on-bad-count-simple test-on-bad-end-name-simple
            test-on-final-simple test-on-test-begin-simple test-on-test-end-simple
            test-result-ref test-result-set! test-result-remove test-result-clear
            test-result-alist test-result-alist! test-result-kind test-passed?
            test-log-to-file
            %check %check-error))

;;; Runners

(define-record-type <test-runner>
  (%make-runner pass fail xpass xfail skip results failures groups stack skips expected run count aux
                on-test-begin on-test-end on-group-begin on-group-end on-final
                on-bad-count on-bad-end-name)
  test-runner?
  (pass test-runner-pass-count test-runner-pass-count!)
  (fail test-runner-fail-count test-runner-fail-count!)
  (xpass test-runner-xpass-count test-runner-xpass-count!)
  (xfail test-runner-xfail-count test-runner-xfail-count!)
  (skip test-runner-skip-count test-runner-skip-count!)
  (results test-result-alist test-result-alist!)   ; of the current check: alist
  (failures %failures set-failures!)         ; alists of the failed checks, the last one first
  (groups %groups set-groups!)               ; innermost first
  (stack test-runner-group-stack test-runner-group-stack!)  ; their names
  (skips %skips set-skips!)                  ; specifiers
  (expected %expected set-expected!)         ; specifiers
  (run %run set-run!)                        ; specifiers of test-apply; #f: all
  (count %count set-count!)                  ; checks so far, skipped ones included
  (aux test-runner-aux-value test-runner-aux-value!)
  (on-test-begin test-runner-on-test-begin test-runner-on-test-begin!)
  (on-test-end test-runner-on-test-end test-runner-on-test-end!)
  (on-group-begin test-runner-on-group-begin test-runner-on-group-begin!)
  (on-group-end test-runner-on-group-end test-runner-on-group-end!)
  (on-final test-runner-on-final test-runner-on-final!)
  (on-bad-count test-runner-on-bad-count test-runner-on-bad-count!)
  (on-bad-end-name test-runner-on-bad-end-name test-runner-on-bad-end-name!))

;; An open group: what to go back to at its end.
(define-record-type <group>
  (make-group name expected-count count skips expected)
  group?
  (name group-name)
  (expected-count group-expected-count)
  (count group-count)
  (skips group-skips)
  (expected group-expected))

(define (test-runner-null)
  "A runner that counts and says nothing."
  (define (ignore . _) #f)
  (%make-runner 0 0 0 0 0 '() '() '() '() '() '() #f 0 #f
                ignore ignore ignore ignore ignore ignore ignore))

(define (test-runner-simple)
  "A runner that writes failures and a summary to the current output port."
  (let ((runner (test-runner-null)))
    (test-runner-on-group-begin! runner test-on-group-begin-simple)
    (test-runner-on-group-end! runner test-on-group-end-simple)
    (test-runner-on-test-begin! runner test-on-test-begin-simple)
    (test-runner-on-test-end! runner test-on-test-end-simple)
    (test-runner-on-final! runner test-on-final-simple)
    (test-runner-on-bad-count! runner test-on-bad-count-simple)
    (test-runner-on-bad-end-name! runner test-on-bad-end-name-simple)
    runner))

(define test-runner-current (make-parameter #f))
(define test-runner-factory (make-parameter test-runner-simple))
(define (test-runner-create) ((test-runner-factory)))

(define (test-runner-get)
  "The current runner; an error if there is none."
  (or (test-runner-current)
      (error "there is no test runner: begin a suite with test-begin first")))

(define (test-runner-reset runner)
  "Forget the results of RUNNER."
  (for-each (lambda (set) (set runner 0))
            (list test-runner-pass-count! test-runner-fail-count! test-runner-xpass-count! test-runner-xfail-count! test-runner-skip-count! set-count!))
  (for-each (lambda (set) (set runner '()))
            (list test-result-alist! set-failures! set-groups!
                  test-runner-group-stack! set-skips! set-expected!))
  (set-run! runner #f))

(define (test-runner-group-path runner)
  "The names of the open groups, outermost first."
  (reverse (test-runner-group-stack runner)))

(define (test-runner-test-name runner)
  "The name of the current check, or the empty string."
  (test-result-ref runner 'test-name ""))

(define (test-runner-failures runner)
  "The property lists of the checks that failed, or passed though they should not, in order."
  (reverse (%failures runner)))

;;; Results

(define* (test-result-ref runner name #:optional default)
  (let ((found (assq name (test-result-alist runner))))
    (if found (cdr found) default)))

(define (test-result-set! runner name value)
  (test-result-alist! runner (acons name value (alist-delete name (test-result-alist runner) eq?))))

(define (test-result-remove runner name)
  (test-result-alist! runner (alist-delete name (test-result-alist runner) eq?)))

(define (test-result-clear runner)
  (test-result-alist! runner '()))

(define* (test-result-kind #:optional (runner (test-runner-get)))
  "One of pass, fail, xpass, xfail and skip; #f before the first check."
  (test-result-ref runner 'result-kind #f))

(define* (test-passed? #:optional (runner (test-runner-get)))
  (and (memq (test-result-kind runner) '(pass xpass)) #t))

;;; Which checks run

(define (specifier object)
  "The predicate of runners that OBJECT, a specifier of the SRFI, stands for."
  (cond ((procedure? object) object)
        ((string? object) (test-match-name object))
        ((integer? object) (test-match-nth 1 object))
        (else (error "not a test specifier:" object))))

(define (test-match-name name)
  (lambda (runner) (equal? name (test-runner-test-name runner))))

(define* (test-match-nth n #:optional (count 1))
  (let ((seen 0))
    (lambda (runner)
      (set! seen (+ seen 1))
      (and (>= seen n) (< seen (+ n count))))))

;; Every specifier is asked about every check, because those of test-match-nth count.
(define (any-match specifiers runner)
  (fold (lambda (matches? found) (or (matches? runner) found)) #f specifiers))

(define (test-match-any . objects)
  (let ((specifiers (map specifier objects)))
    (lambda (runner) (any-match specifiers runner))))

(define (test-match-all . objects)
  (let ((specifiers (map specifier objects)))
    (lambda (runner)
      (fold (lambda (matches? all) (and (matches? runner) all)) #t specifiers))))

(define (test-skip . objects)
  "Skip the checks that match all of OBJECTS, until the group ends."
  (let ((runner (test-runner-get)))
    (set-skips! runner (cons (apply test-match-all objects) (%skips runner)))))

(define (test-expect-fail . objects)
  "Expect the checks that match all of OBJECTS to fail, until the group ends."
  (let ((runner (test-runner-get)))
    (set-expected! runner (cons (apply test-match-all objects) (%expected runner)))))

(define (places location)
  "What the results of a check say about where it stands."
  `((source-location . ,location)
    (source-file . ,(location-file location))
    (source-line . ,(location-line location))))

(define (start-check! name location form)
  "Note what the next check is; gives the kind of result to expect: skip, xfail or #f."
  (let ((runner (test-runner-get)))
    (test-result-alist! runner
                  (append (if name `((test-name . ,name)) '())
                          `((source-form . ,form))
                          (if location (places location) '())))
    (set-count! runner (+ 1 (%count runner)))
    (let* ((chosen? (or (not (%run runner)) (any-match (%run runner) runner)))
           (skipped? (any-match (%skips runner) runner))
           (fails? (any-match (%expected runner) runner))
           (kind (cond ((or skipped? (not chosen?)) 'skip) (fails? 'xfail) (else #f))))
      (when kind (test-result-set! runner 'result-kind kind))
      ((test-runner-on-test-begin runner) runner)
      kind)))

(define (end-check! expected passed?)
  (let* ((runner (test-runner-get))
         (kind (cond ((eq? expected 'skip) 'skip)
                     ((eq? expected 'xfail) (if passed? 'xpass 'xfail))
                     (else (if passed? 'pass 'fail)))))
    (test-result-set! runner 'result-kind kind)
    (case kind
      ((pass) (test-runner-pass-count! runner (+ 1 (test-runner-pass-count runner))))
      ((fail) (test-runner-fail-count! runner (+ 1 (test-runner-fail-count runner))))
      ((xpass) (test-runner-xpass-count! runner (+ 1 (test-runner-xpass-count runner))))
      ((xfail) (test-runner-xfail-count! runner (+ 1 (test-runner-xfail-count runner))))
      ((skip) (test-runner-skip-count! runner (+ 1 (test-runner-skip-count runner)))))
    (when (memq kind '(fail xpass))
      (set-failures! runner (cons (test-result-alist runner) (%failures runner))))
    ((test-runner-on-test-end runner) runner)))

;;; Checks

(define (note! name value)
  (test-result-set! (test-runner-get) name value))

(define* (%check name location form thunk #:optional (same? #f) (wanted #f))
  "Check that THUNK gives a true value or, with SAME?, one that is the same as that of WANTED."
  (let ((expected (start-check! name location form)))
    (end-check!
     expected
     (and (not (eq? expected 'skip))
          (guard (obj (#t (note! 'actual-error obj) (note! 'actual-value #f) #f))
            (let ((wanted (and same? (wanted))))
              (when same? (note! 'expected-value wanted))
              (let ((actual (thunk)))
                (note! 'actual-value actual)
                (if same? (same? wanted actual) actual))))))))

(define (%check-error name location form type thunk)
  "Check that THUNK raises an object of TYPE: #t, a predicate, a condition type or a throw key."
  (let ((expected (start-check! name location form)))
    (end-check!
     expected
     (and (not (eq? expected 'skip))
          (let ((type (type)))
            (note! 'expected-error type)
            (guard (obj (#t (note! 'actual-error obj) (error-of-type? obj type)))
              (note! 'actual-value (thunk))
              #f))))))

(define (error-of-type? obj type)
  (cond ((boolean? type) type)
        ((procedure? type) (type obj))
        ((condition-type? type) (and (condition? obj) (condition-has-type? obj type)))
        ((symbol? type)
         (catch #t (lambda () (raise obj)) (lambda (key . _) (eq? key type))))
        (else (error "not a type of error:" type))))

(define-syntax test-assert
  (syntax-rules ()
    ((_ name expression)
     (%check name (current-source-location) '(test-assert name expression)
             (lambda () expression)))
    ((_ expression)
     (%check #f (current-source-location) '(test-assert expression) (lambda () expression)))))

(define-syntax-rule (define-comparison keyword same)
  (define-syntax keyword
    (syntax-rules ()
      ((_ name expected expression)
       (%check name (current-source-location) '(keyword name expected expression)
               (lambda () expression) same (lambda () expected)))
      ((_ expected expression)
       (%check #f (current-source-location) '(keyword expected expression)
               (lambda () expression) same (lambda () expected))))))

(define-comparison test-equal equal?)
(define-comparison test-eqv eqv?)
(define-comparison test-eq eq?)

(define (within error)
  (lambda (expected actual)
    (and (number? actual) (<= (- expected error) actual (+ expected error)))))

(define-syntax test-approximate
  (syntax-rules ()
    ((_ name expected expression error)
     (%check name (current-source-location) '(test-approximate name expected expression error)
             (lambda () expression) (within error) (lambda () expected)))
    ((_ expected expression error)
     (%check #f (current-source-location) '(test-approximate expected expression error)
             (lambda () expression) (within error) (lambda () expected)))))

(define-syntax test-error
  (syntax-rules ()
    ((_ name type expression)
     (%check-error name (current-source-location) '(test-error name type expression)
                   (lambda () type) (lambda () expression)))
    ((_ type expression)
     (%check-error #f (current-source-location) '(test-error type expression)
                   (lambda () type) (lambda () expression)))
    ((_ expression)
     (%check-error #f (current-source-location) '(test-error expression)
                   (lambda () #t) (lambda () expression)))))

(define (test-read-eval-string text)
  "The value of the one datum that TEXT holds, evaluated in the current module."
  (let* ((port (open-input-string text))
         (form (read port)))
    (if (eof-object? (read-char port))
        (eval form (current-module))
        (error "more than one datum in the text:" text))))

;;; Groups

(define* (test-begin suite-name #:optional count)
  "Enter a group, making a runner if there is none; COUNT checks are expected in it."
  (unless (test-runner-current)
    (test-runner-current (test-runner-create)))
  (let ((runner (test-runner-get)))
    ((test-runner-on-group-begin runner) runner suite-name count)
    (set-groups! runner (cons (make-group suite-name count (%count runner)
                                          (%skips runner) (%expected runner))
                              (%groups runner)))
    (test-runner-group-stack! runner (cons suite-name (test-runner-group-stack runner)))))

(define* (test-end #:optional suite-name)
  "Leave the innermost group; at the end of the outermost one, report."
  (let* ((runner (test-runner-get))
         (groups (%groups runner)))
    (when (null? groups)
      (error "test-end without test-begin"))
    (let* ((group (car groups))
           (wanted (group-expected-count group))
           (done (- (%count runner) (group-count group))))
      (when (and suite-name (not (equal? suite-name (group-name group))))
        ((test-runner-on-bad-end-name runner) runner suite-name (group-name group)))
      (when (and wanted (not (= wanted done)))
        ((test-runner-on-bad-count runner) runner done wanted))
      ((test-runner-on-group-end runner) runner)
      (set-groups! runner (cdr groups))
      (test-runner-group-stack! runner (cdr (test-runner-group-stack runner)))
      (set-skips! runner (group-skips group))
      (set-expected! runner (group-expected group))
      (when (null? (cdr groups))
        ((test-runner-on-final runner) runner)))))

(define (skipped-group? name)
  "Is the group NAME to be skipped as a whole?"
  (let ((runner (test-runner-get)))
    (test-result-alist! runner `((test-name . ,name)))
    (any-match (%skips runner) runner)))

(define-syntax test-group
  (syntax-rules ()
    ((_ name form ...)
     (%group name (lambda () form ... #f) (lambda () #f)))))

(define-syntax test-group-with-cleanup
  (syntax-rules ()
    ((_ name form ... cleanup)
     (%group name (lambda () form ... #f) (lambda () cleanup)))))

(define (%group name body cleanup)
  (unless (test-runner-current)
    (test-runner-current (test-runner-create)))
  (unless (skipped-group? name)
    (dynamic-wind
      (lambda () (test-begin name))
      body
      (lambda () (cleanup) (test-end name)))))

(define-syntax-rule (test-with-runner runner form ...)
  (parameterize ((test-runner-current runner)) form ...))

(define (test-apply first . rest)
  "(test-apply [runner] specifier ... thunk): run the matching checks of THUNK only."
  (if (test-runner? first)
      (test-with-runner first (apply test-apply rest))
      (let* ((arguments (cons first rest))
             (thunk (last arguments))
             (specifiers (map specifier (drop-right arguments 1)))
             (runner (or (test-runner-current) (test-runner-create)))
             (outer (%run runner)))
        (set-run! runner (and (pair? specifiers) specifiers))
        (test-with-runner runner (thunk))
        (set-run! runner outer))))

;;; What the simple runner says

;; The log is the runner's aux value; a configuration, which cannot write files, has none.
(define test-log-to-file (defined? 'open-output-file (resolve-module '(guile))))

(define (log runner . arguments)
  (let ((port (test-runner-aux-value runner)))
    (when (output-port? port)
      (apply format port arguments))))

(define (test-on-group-begin-simple runner name count)
  (when (null? (test-runner-group-stack runner))
    (if test-log-to-file
        (let ((file (if (string? test-log-to-file) test-log-to-file (format #f "~a.log" name))))
          (test-runner-aux-value! runner (open-output-file file))
          (log runner "%%%% Starting test ~a~%" name)
          (format #t "%%%% Starting test ~a  (Writing full log to ~s)~%" name file))
        (format #t "%%%% Starting test ~a~%" name)))
  (log runner "Group begin: ~a~%" name))

(define (test-on-group-end-simple runner)
  (log runner "Group end: ~a~%" (car (test-runner-group-stack runner))))

(define (test-on-test-begin-simple runner)
  (log runner "Test begin:~%")
  (log-results runner '(test-name source-file source-line source-form)))

(define (log-results runner keys)
  (for-each (lambda (key)
              (let ((found (assq key (test-result-alist runner))))
                (when found (log runner "  ~a: ~s~%" key (cdr found)))))
            keys))

(define (test-on-test-end-simple runner)
  (log runner "Test end:~%")
  (log-results runner '(result-kind actual-value expected-value actual-error expected-error))
  (when (memq (test-result-kind runner) '(fail xpass))
    (format #t "~a:~a: ~a ~a~%"
            (test-result-ref runner 'source-file "")
            (test-result-ref runner 'source-line "")
            (if (eq? (test-result-kind runner) 'fail) "FAIL" "XPASS")
            (let ((name (test-runner-test-name runner)))
              (if (equal? name "") (test-result-ref runner 'source-form) name)))
    (for-each (lambda (key)
                (let ((found (assq key (test-result-alist runner))))
                  (when found (format #t "  ~a: ~s~%" key (cdr found)))))
              '(expected-value actual-value expected-error actual-error))))

(define (report write)
  (lambda (runner)
    (for-each (lambda (label count)
                (unless (zero? (count runner))
                  (write runner "# of ~a ~a~%" label (count runner))))
              '("expected passes     " "expected failures   " "unexpected successes"
                "unexpected failures " "skipped tests       ")
              (list test-runner-pass-count test-runner-xfail-count test-runner-xpass-count
                    test-runner-fail-count test-runner-skip-count))))

(define report-all (report (lambda (runner . arguments) (apply format #t arguments))))
(define log-all (report log))

(define (test-on-final-simple runner)
  (report-all runner)
  (log-all runner)
  (let ((port (test-runner-aux-value runner)))
    (when (output-port? port)
      (close-port port)
      (test-runner-aux-value! runner #f))))

(define (test-on-bad-count-simple runner actual expected)
  (format #t "expected ~a checks, but there were ~a~%" expected actual)
  (log runner "expected ~a checks, but there were ~a~%" expected actual))

(define (test-on-bad-end-name-simple runner end-name begin-name)
  (error (format #f "test-end ~s does not match test-begin ~s" end-name begin-name)))
