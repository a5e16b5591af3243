;;; R7RS 7.3 Derived expression types: the report's definitions of them by what is primitive

(define-library (derived)
  (export cond case and or when unless let let* letrec letrec* let-values let*-values define-values
          (rename begin/lambda begin-by-lambda) (rename begin/values begin-by-values)
          do delay delay-force force make-promise make-parameter parameterize guard case-lambda
          cond-expand)
  (import (only (scheme base) lambda if set! quote define define-syntax letrec-syntax syntax-rules
                begin else => ... _ + - = >= < eq? memv car cdr cadr cddr set-cdr! set-car! cons list
                length apply null? pair? values call-with-values call/cc dynamic-wind error
                with-exception-handler raise-continuable not)
          ; a literal of cond-expand, which has a meaning where that is used
          (only (guile) library))
  (begin
    (define-syntax cond
      (syntax-rules (else =>)
        ((cond (else result1 result2 ...)) (begin result1 result2 ...))
        ((cond (test => result)) (let ((temp test)) (if temp (result temp))))
        ((cond (test => result) clause1 clause2 ...)
         (let ((temp test)) (if temp (result temp) (cond clause1 clause2 ...))))
        ((cond (test)) test)
        ((cond (test) clause1 clause2 ...)
         (let ((temp test)) (if temp temp (cond clause1 clause2 ...))))
        ((cond (test result1 result2 ...)) (if test (begin result1 result2 ...)))
        ((cond (test result1 result2 ...) clause1 clause2 ...)
         (if test (begin result1 result2 ...) (cond clause1 clause2 ...)))))

    (define-syntax case
      (syntax-rules (else =>)
        ((case (key ...) clauses ...) (let ((atom-key (key ...))) (case atom-key clauses ...)))
        ((case key (else => result)) (result key))
        ((case key (else result1 result2 ...)) (begin result1 result2 ...))
        ((case key ((atoms ...) => result)) (if (memv key '(atoms ...)) (result key)))
        ((case key ((atoms ...) result1 result2 ...))
         (if (memv key '(atoms ...)) (begin result1 result2 ...)))
        ((case key ((atoms ...) => result) clause clauses ...)
         (if (memv key '(atoms ...)) (result key) (case key clause clauses ...)))
        ((case key ((atoms ...) result1 result2 ...) clause clauses ...)
         (if (memv key '(atoms ...)) (begin result1 result2 ...) (case key clause clauses ...)))))

    (define-syntax and
      (syntax-rules ()
        ((and) #t)
        ((and test) test)
        ((and test1 test2 ...) (if test1 (and test2 ...) #f))))

    (define-syntax or
      (syntax-rules ()
        ((or) #f)
        ((or test) test)
        ((or test1 test2 ...) (let ((x test1)) (if x x (or test2 ...))))))

    (define-syntax when
      (syntax-rules () ((when test result1 result2 ...) (if test (begin result1 result2 ...)))))

    (define-syntax unless
      (syntax-rules ()
        ((unless test result1 result2 ...) (if (not test) (begin result1 result2 ...)))))

    (define-syntax let
      (syntax-rules ()
        ((let ((name val) ...) body1 body2 ...) ((lambda (name ...) body1 body2 ...) val ...))
        ((let tag ((name val) ...) body1 body2 ...)
         ((letrec ((tag (lambda (name ...) body1 body2 ...))) tag) val ...))))

    (define-syntax let*
      (syntax-rules ()
        ((let* () body1 body2 ...) (let () body1 body2 ...))
        ((let* ((name1 val1) (name2 val2) ...) body1 body2 ...)
         (let ((name1 val1)) (let* ((name2 val2) ...) body1 body2 ...)))))

    (define-syntax letrec
      (syntax-rules ()
        ((letrec ((var1 init1) ...) body ...)
         (letrec "generate_temp_names" (var1 ...) () ((var1 init1) ...) body ...))
        ((letrec "generate_temp_names" () (temp1 ...) ((var1 init1) ...) body ...)
         (let ((var1 #f) ...)
           (let ((temp1 init1) ...)
             (set! var1 temp1)
             ...
             body ...)))
        ((letrec "generate_temp_names" (x y ...) (temp ...) ((var1 init1) ...) body ...)
         (letrec "generate_temp_names" (y ...) (newtemp temp ...) ((var1 init1) ...) body ...))))

    (define-syntax letrec*
      (syntax-rules ()
        ((letrec* ((var1 init1) ...) body1 body2 ...)
         (let ((var1 #f) ...)
           (set! var1 init1)
           ...
           (let () body1 body2 ...)))))

    (define-syntax let-values
      (syntax-rules ()
        ((let-values (binding ...) body0 body1 ...)
         (let-values "bind" (binding ...) () (begin body0 body1 ...)))
        ((let-values "bind" () tmps body) (let tmps body))
        ((let-values "bind" ((b0 e0) binding ...) tmps body)
         (let-values "mktmp" b0 e0 () (binding ...) tmps body))
        ((let-values "mktmp" () e0 args bindings tmps body)
         (call-with-values (lambda () e0) (lambda args (let-values "bind" bindings tmps body))))
        ((let-values "mktmp" (a . b) e0 (arg ...) bindings (tmp ...) body)
         (let-values "mktmp" b e0 (arg ... x) bindings (tmp ... (a x)) body))
        ((let-values "mktmp" a e0 (arg ...) bindings (tmp ...) body)
         (call-with-values
          (lambda () e0)
          (lambda (arg ... . x) (let-values "bind" bindings (tmp ... (a x)) body))))))

    (define-syntax let*-values
      (syntax-rules ()
        ((let*-values () body0 body1 ...) (let () body0 body1 ...))
        ((let*-values (binding0 binding1 ...) body0 body1 ...)
         (let-values (binding0) (let*-values (binding1 ...) body0 body1 ...)))))

    (define-syntax define-values
      (syntax-rules ()
        ((define-values () expr)
         (define dummy (call-with-values (lambda () expr) (lambda args #f))))
        ((define-values (var) expr) (define var expr))
        ((define-values (var0 var1 ... varn) expr)
         (begin
           (define var0 (call-with-values (lambda () expr) list))
           (define var1 (let ((v (cadr var0))) (set-cdr! var0 (cddr var0)) v)) ...
           (define varn (let ((v (cadr var0))) (set! var0 (car var0)) v))))
        ((define-values (var0 var1 ... . varn) expr)
         (begin
           (define var0 (call-with-values (lambda () expr) list))
           (define var1 (let ((v (cadr var0))) (set-cdr! var0 (cddr var0)) v)) ...
           (define varn (let ((v (cdr var0))) (set! var0 (car var0)) v))))
        ((define-values var expr) (define var (call-with-values (lambda () expr) list)))))

    (define-syntax begin/lambda (syntax-rules () ((begin exp ...) ((lambda () exp ...)))))

    (define-syntax begin/values
      (syntax-rules ()
        ((begin exp) exp)
        ((begin exp1 exp2 ...)
         (call-with-values (lambda () exp1) (lambda args (begin/values exp2 ...))))))

    (define-syntax do
      (syntax-rules ()
        ((do ((var init step ...) ...) (test expr ...) command ...)
         (letrec ((loop
                   (lambda (var ...)
                     (if test
                         (begin (if #f #f) expr ...)
                         (begin command ... (loop (do "step" var step ...) ...))))))
           (loop init ...)))
        ((do "step" x) x)
        ((do "step" x y) y)))

    (define-syntax delay-force
      (syntax-rules () ((delay-force expression) (new-promise #f (lambda () expression)))))
    (define-syntax delay
      (syntax-rules () ((delay expression) (delay-force (new-promise #t expression)))))
    (define new-promise (lambda (done? proc) (list (cons done? proc))))
    (define (make-promise value) (new-promise #t value))
    (define promise-done? (lambda (x) (car (car x))))
    (define promise-value (lambda (x) (cdr (car x))))
    (define (promise-update! new old)
      (set-car! (car old) (promise-done? new))
      (set-cdr! (car old) (promise-value new))
      (set-car! new (car old)))
    (define (force promise)
      (if (promise-done? promise)
          (promise-value promise)
          (let ((promise* ((promise-value promise))))
            (unless (promise-done? promise) (promise-update! promise* promise))
            (force promise))))

    (define param-set! (list 'set!))
    (define param-convert (list 'convert))
    (define (make-parameter init . o)
      (let* ((converter (if (pair? o) (car o) (lambda (x) x)))
             (value (converter init)))
        (lambda args
          (cond ((null? args) value)
                ((eq? (car args) param-set!) (set! value (cadr args)))
                ((eq? (car args) param-convert) converter)
                (else (error "bad parameter syntax"))))))
    (define-syntax parameterize
      (syntax-rules ()
        ((parameterize ("step") ((param value p old new) ...) () body)
         (let ((p param) ...)
           (let ((old (p)) ... (new ((p param-convert) value)) ...)
             (dynamic-wind
              (lambda () (p param-set! new) ...)
              (lambda () . body)
              (lambda () (p param-set! old) ...)))))
        ((parameterize ("step") args ((param value) . rest) body)
         (parameterize ("step") ((param value p old new) . args) rest body))
        ((parameterize ((param value) ...) . body)
         (parameterize ("step") () ((param value) ...) body))))

    (define-syntax guard
      (syntax-rules ()
        ((guard (var clause ...) e1 e2 ...)
         ((call/cc
           (lambda (guard-k)
             (with-exception-handler
              (lambda (condition)
                ((call/cc
                  (lambda (handler-k)
                    (guard-k
                     (lambda ()
                       (let ((var condition))
                         (guard-aux (handler-k (lambda () (raise-continuable condition)))
                                    clause ...))))))))
              (lambda ()
                (call-with-values
                 (lambda () e1 e2 ...)
                 (lambda args (guard-k (lambda () (apply values args)))))))))))))
    (define-syntax guard-aux
      (syntax-rules (else =>)
        ((guard-aux reraise (else result1 result2 ...)) (begin result1 result2 ...))
        ((guard-aux reraise (test => result))
         (let ((temp test)) (if temp (result temp) reraise)))
        ((guard-aux reraise (test => result) clause1 clause2 ...)
         (let ((temp test)) (if temp (result temp) (guard-aux reraise clause1 clause2 ...))))
        ((guard-aux reraise (test)) (or test reraise))
        ((guard-aux reraise (test) clause1 clause2 ...)
         (let ((temp test)) (if temp temp (guard-aux reraise clause1 clause2 ...))))
        ((guard-aux reraise (test result1 result2 ...))
         (if test (begin result1 result2 ...) reraise))
        ((guard-aux reraise (test result1 result2 ...) clause1 clause2 ...)
         (if test (begin result1 result2 ...) (guard-aux reraise clause1 clause2 ...)))))

    (define-syntax case-lambda
      (syntax-rules ()
        ((case-lambda (params body0 ...) ...)
         (lambda args
           (let ((len (length args)))
             (letrec-syntax
                 ((cl (syntax-rules ::: ()
                        ((cl) (error "no matching clause"))
                        ((cl ((p :::) . body) . rest)
                         (if (= len (length '(p :::)))
                             (apply (lambda (p :::) . body) args)
                             (cl . rest)))
                        ((cl ((p ::: . tail) . body) . rest)
                         (if (>= len (length '(p :::)))
                             (apply (lambda (p ::: . tail) . body) args)
                             (cl . rest))))))
               (cl (params body0 ...) ...)))))))

    (define-syntax cond-expand
      (syntax-rules (and or not else r7rs library scheme base)
        ((cond-expand) (syntax-error "no clause of cond-expand matched"))
        ((cond-expand (else body ...)) (begin body ...))
        ((cond-expand ((and) body ...) more-clauses ...) (begin body ...))
        ((cond-expand ((and req1 req2 ...) body ...) more-clauses ...)
         (cond-expand (req1 (cond-expand ((and req2 ...) body ...) more-clauses ...))
                      more-clauses ...))
        ((cond-expand ((or) body ...) more-clauses ...) (cond-expand more-clauses ...))
        ((cond-expand ((or req1 req2 ...) body ...) more-clauses ...)
         (cond-expand (req1 (begin body ...))
                      (else (cond-expand ((or req2 ...) body ...) more-clauses ...))))
        ((cond-expand ((not req) body ...) more-clauses ...)
         (cond-expand (req (cond-expand more-clauses ...)) (else body ...)))
        ((cond-expand (r7rs body ...) more-clauses ...) (begin body ...))
        ((cond-expand ((library (scheme base)) body ...) more-clauses ...) (begin body ...))
        ((cond-expand (feature-id body ...) more-clauses ...) (cond-expand more-clauses ...))
        ((cond-expand ((library (name ...)) body ...) more-clauses ...)
         (cond-expand more-clauses ...))))))

(import (scheme base) (srfi 64) (prefix (derived) my-))

(test-begin "7.3 Conditionals")
(test-eq 'equal (my-cond ((> 3 3) 'greater) ((< 3 3) 'less) (else 'equal)))
(test-eqv 2 (my-cond ((assv 'b '((a 1) (b 2))) => cadr) (else #f)))
(test-eqv 5 (my-cond (#f 1) (5) (else 6)))
(test-eqv 3 (my-cond (#f => car) (#t 1 2 3)))
(test-eq 'composite (my-case (* 2 3) ((2 3 5 7) 'prime) ((1 4 6 8 9) 'composite)))
(test-equal '((other . z) (semivowel . y) (vowel . u))
  (map (lambda (x)
         (my-case x
           ((a e i o u) => (lambda (w) (cons 'vowel w)))
           ((w y) (cons 'semivowel x))
           (else => (lambda (x) (cons 'other x)))))
       '(z y u)))
(test-equal '(#t (f g) #f) (list (my-and) (my-and 1 2 'c '(f g)) (my-and 1 #f (car '()))))
(test-equal '(#f (b c) #f) (list (my-or) (my-or (memq 'b '(a b c)) (/ 3 0)) (my-or #f #f)))
(test-eqv 5 (my-let ((x 5)) (my-or #f x)))
(test-equal '(3 3) (list (my-when (> 1 0) 1 2 3) (my-unless (> 0 1) 1 2 3)))
(test-equal '(full lib not)
  (list (my-cond-expand ((my-and r7rs nothing) 'no) ((my-and r7rs (my-or nothing r7rs)) 'full) (else 'none))
        (my-cond-expand ((library (no such)) 'wrong) ((library (scheme base)) 'lib))
        (my-cond-expand ((not r7rs) 'wrong) ((not nothing) 'not))))
(test-end)

(test-begin "7.3 Binding constructs")
(test-eqv 35 (my-let ((x 2) (y 3)) (my-let ((x 7) (z (+ x y))) (* z x))))
(test-eqv 70 (my-let ((x 2) (y 3)) (my-let* ((x 7) (z (+ x y))) (* z x))))
(test-eqv 120 (my-let fact ((n 5)) (if (= n 0) 1 (* n (fact (- n 1))))))
(test-eqv #t
  (my-letrec ((even? (lambda (n) (if (zero? n) #t (odd? (- n 1)))))
              (odd? (lambda (n) (if (zero? n) #f (even? (- n 1))))))
    (even? 88)))
(test-eqv 5
  (my-letrec* ((p (lambda (x) (+ 1 (q (- x 1)))))
               (q (lambda (y) (if (zero? y) 0 (+ 1 (p (- y 1))))))
               (x (p 5))
               (y x))
    y))
(test-equal '(x y a b)
  (let ((a 'a) (b 'b) (x 'x) (y 'y))
    (my-let-values (((a b) (values x y)) ((x y) (values a b))) (list a b x y))))
(test-equal '(x y x y)
  (let ((a 'a) (b 'b) (x 'x) (y 'y))
    (my-let*-values (((a b) (values x y)) ((x y) (values a b))) (list a b x y))))
(test-equal '(1 (2 3) (4 5) ())
  (my-let-values (((a . rest) (values 1 2 3)) (all (values 4 5)) (() (values)) (none (values)))
    (list a rest all none)))
(my-define-values (root rem) (exact-integer-sqrt 17))
(test-equal '(4 1) (list root rem))
(my-define-values (head second . tail) (values 1 2 3 4))
(test-equal '(1 2 (3 4)) (list head second tail))
(my-define-values all (values 1 2))
(my-define-values (one) 1)
(my-define-values () (values))
(test-equal '((1 2) 1) (list all one))
(test-equal '(1 2 3) (let () (my-define-values (x y z) (values 1 2 3)) (list x y z)))
(test-end)

(test-begin "7.3 Sequencing and iteration")
(test-equal '(3 3)
  (let ((x 0))
    (let* ((a (my-begin-by-lambda (set! x 2) (+ x 1))) (b (my-begin-by-values (set! x 2) (+ x 1))))
      (list a b))))
(test-equal #(0 1 2 3 4)
  (my-do ((vec (make-vector 5)) (i 0 (+ i 1))) ((= i 5) vec) (vector-set! vec i i)))
(test-eqv 25
  (let ((x '(1 3 5 7 9))) (my-do ((x x (cdr x)) (sum 0 (+ sum (car x)))) ((null? x) sum))))
(test-eqv 1000 (my-do ((i 0 (+ i 1))) ((= i 1000) i)))
(test-end)

(test-begin "7.3 Delayed evaluation")
(test-equal '(3 3) (let ((p (my-delay (+ 1 2)))) (list (my-force p) (my-force p))))
(test-eqv 7 (my-force (my-make-promise 7)))
(test-eqv 6
  (let ((count 0) (x 5))
    (define p (my-delay (begin (set! count (+ count 1)) (if (> count x) count (my-force p)))))
    (my-force p)
    (set! x 10)
    (my-force p)))
(test-eqv 1000
  (my-force (let loop ((n 0)) (if (= n 1000) (my-delay n) (my-delay-force (loop (+ n 1)))))))
(test-end)

(test-begin "7.3 Dynamic bindings, exceptions, case-lambda")
(define radix
  (my-make-parameter 10 (lambda (x) (if (and (exact-integer? x) (<= 2 x 16)) x (error "radix")))))
(define (f n) (number->string n (radix)))
(test-equal '("12" "1100" "12")
  (let* ((before (f 12)) (during (my-parameterize ((radix 2)) (f 12)))) (list before during (f 12))))
(test-error (my-parameterize ((radix 0)) (f 12)))
(test-eqv 42
  (my-guard (condition ((assq 'a condition) => cdr) ((assq 'b condition)))
    (raise (list (cons 'a 42)))))
(test-equal '(b . 23)
  (my-guard (condition ((assq 'a condition) => cdr) ((assq 'b condition)))
    (raise (list (cons 'b 23)))))
(test-equal '(1 2) (call-with-values (lambda () (my-guard (e (#t e)) (values 1 2))) list))
(test-eq 'outer (my-guard (e ((symbol? e) e)) (my-guard (e ((string? e) e)) (raise 'outer))))
(test-eqv 52
  (with-exception-handler
   (lambda (e) 10)
   (lambda () (+ 42 (my-guard (e ((string? e) 0)) (raise-continuable 'again))))))
(define range
  (my-case-lambda
    ((e) (range 0 e))
    ((b e) (do ((r '() (cons e r)) (e (- e 1) (- e 1))) ((< e b) r)))
    ((b e . rest) (list b e rest))))
(test-equal '((0 1 2) (3 4) (1 2 (3 4))) (list (range 3) (range 3 5) (range 1 2 3 4)))
(test-error (range))
(test-end)
