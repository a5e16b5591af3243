;;; (srfi srfi-42 generators): what eager comprehensions run over.

(define-module (srfi srfi-42 generators)
  #:export (: :list :string :vector :integers :range :real-range :char-range :port :dispatched
            :do :let :parallel :while :until
            :-dispatch-ref :-dispatch-set! make-initial-:-dispatch dispatch-union
            :generator-proc))

(define-syntax :do
  (syntax-rules (let)
    "The loop itself, in full or without its (let ...) parts."
    ((_ (cc ...) (let outer ...) variables going? (let inner ...) more? steps)
     (cc ... (:do (let outer ...) variables going? (let inner ...) more? steps)))
    ((_ cc variables going? steps)
     (:do cc (let ()) variables going? (let ()) #t steps))))

(define-syntax :let
  (syntax-rules (index)
    ((_ cc name (index i) value)
     (:do cc (let ((name value) (i 0))) () #t (let ()) #f ()))
    ((_ cc name value)
     (:do cc (let ((name value))) () #t (let ()) #f ()))))

(define-syntax :integers
  (syntax-rules (index)
    ((_ cc name (index i)) (:parallel cc (:integers name) (:integers i)))
    ((_ cc name) (:do cc ((name 0)) #t ((+ name 1))))))

;;; Sequences

(define-syntax :list
  (syntax-rules (index)
    ((_ cc name (index i) source ...) (:parallel cc (:list name source ...) (:integers i)))
    ((_ cc name source)
     (:do cc (let ()) ((rest source)) (pair? rest) (let ((name (car rest)))) #t ((cdr rest))))
    ((_ cc name source ...) (:list cc name (append source ...)))))

(define-syntax :string
  (syntax-rules (index)
    ((_ cc name (index i) source)
     (:do cc (let ((text source) (end 0)) (set! end (string-length text)))
          ((i 0)) (< i end) (let ((name (string-ref text i)))) #t ((+ i 1))))
    ((_ cc name (index i) source ...) (:string cc name (index i) (string-append source ...)))
    ((_ cc name source ...) (:string cc name (index i) source ...))))

(define-syntax :vector
  (syntax-rules (index)
    ((_ cc name (index i) source)
     (:do cc (let ((items source) (end 0)) (set! end (vector-length items)))
          ((i 0)) (< i end) (let ((name (vector-ref items i)))) #t ((+ i 1))))
    ((_ cc name (index i) source ...) (:vector cc name (index i) (vector-append source ...)))
    ((_ cc name source ...) (:vector cc name (index i) source ...))))

(define-syntax :port
  (syntax-rules (index)
    ((_ cc name (index i) source ...) (:parallel cc (:port name source ...) (:integers i)))
    ((_ cc name source) (:port cc name source read))
    ((_ cc name source reader)
     (:do cc (let ((port source) (get reader)))
          ((name (get port))) (not (eof-object? name)) (let ()) #t ((get port))))))

;;; Numbers and characters

(define-syntax :range
  (syntax-rules (index)
    ((_ cc name (index i) bound ...) (:parallel cc (:range name bound ...) (:integers i)))
    ((_ cc name end)
     (:do cc (let ((past (exact-bound end)))) ((name 0)) (< name past) (let ()) #t ((+ name 1))))
    ((_ cc name start end)
     (:do cc (let ((first (exact-bound start)) (past (exact-bound end))))
          ((name first)) (< name past) (let ()) #t ((+ name 1))))
    ((_ cc name start end step)
     (:do cc (let ((first (exact-bound start)) (by (exact-bound step)) (last 0))
               (set! last (+ first (* by (steps first (exact-bound end) by)))))
          ((name first)) (not (= name last)) (let ()) #t ((+ name by))))))

(define-syntax :real-range
  (syntax-rules (index)
    ((_ cc name end) (:real-range cc name (index i) 0 end 1))
    ((_ cc name start end) (:real-range cc name (index i) start end 1))
    ((_ cc name start end step) (:real-range cc name (index i) start end step))
    ((_ cc name (index i) end) (:real-range cc name (index i) 0 end 1))
    ((_ cc name (index i) start end) (:real-range cc name (index i) start end 1))
    ((_ cc name (index i) start end step)
     (:do cc (let ((first start) (past end) (by step) (count 0))
               (unless (and (exact? past) (exact? by))
                 (set! first (exact->inexact first)))
               (set! count (steps first past by)))
          ((i 0)) (< i count) (let ((name (+ first (* i by))))) #t ((+ i 1))))))

(define-syntax :char-range
  (syntax-rules (index)
    ((_ cc name (index i) first last) (:parallel cc (:char-range name first last) (:integers i)))
    ((_ cc name first last)
     (:do cc (let ((end (char->integer last))))
          ((code (char->integer first))) (<= code end)
          (let ((name (integer->char code)))) #t ((+ code 1))))))

(define (exact-bound n)
  (unless (exact-integer? n)
    (error ":range: an exact integer is expected, not" n))
  n)

(define (steps first past by)
  "How many numbers there are from FIRST, BY apart, before PAST."
  (when (= by 0)
    (error "a range cannot go in steps of" by))
  (max 0 (inexact->exact (ceiling (/ (- past first) by)))))

;;; Generators of generators

(define-syntax :parallel
  (syntax-rules ()
    "Several generators in step; it ends with the first of them that does."
    ((_ cc) (:do cc (let ()) () #t (let ()) #t ()))
    ((_ cc (generator argument ...) more ...)
     (generator (parallel-loop cc (more ...)) argument ...))))

(define-syntax parallel-loop
  (syntax-rules (:do)
    ((_ cc () loop) (append-loop cc loop))
    ((_ cc ((generator argument ...) more ...) loop)
     (generator (join-loops cc (more ...) loop) argument ...))))

(define-syntax append-loop
  (syntax-rules (:do)
    ((_ cc (:do part ...)) (:do cc part ...))))

(define-syntax join-loops
  (syntax-rules (:do let)
    ((_ cc more
        (:do (let (outer ...) outer-command ...) (variable ...) going?
             (let (inner ...) inner-command ...) more? (step ...))
        (:do (let (outer2 ...) outer-command2 ...) (variable2 ...) going2?
             (let (inner2 ...) inner-command2 ...) more2? (step2 ...)))
     (parallel-loop
      cc more
      (:do (let (outer ... outer2 ...) outer-command ... outer-command2 ...)
           (variable ... variable2 ...) (and going? going2?)
           (let (inner ... inner2 ...) inner-command ... inner-command2 ...)
           (and more? more2?) (step ... step2 ...))))))

(define-syntax-rule (:while cc (generator argument ...) test)
  "GENERATOR, until TEST is false."
  (generator (while-loop cc test ()) argument ...))

;; The inner bindings are needed for the test, before the loop's body: they are computed into
;; variables beside the loop, one after the other collected as (name kept value).
(define-syntax while-loop
  (syntax-rules (:do let)
    ((_ cc test (binding ...)
        (:do outer variables going? (let ((name value) inner ...) command ...) more? steps))
     (while-loop cc test (binding ... (name kept value))
                 (:do outer variables going? (let (inner ...) command ...) more? steps)))
    ((_ cc test ((name kept value) ...)
        (:do (let (outer ...) outer-command ...) variables going? (let () command ...) more? steps))
     (:do cc (let (outer ... (kept #f) ...) outer-command ...)
          variables
          (and going?
               (let ((name value) ...)
                 command ...
                 (set! kept name) ...
                 test))
          (let ((name kept) ...))
          more? steps))))

(define-syntax-rule (:until cc (generator argument ...) test)
  "GENERATOR, until TEST is true, which may be the case for the last one."
  (generator (until-loop cc test) argument ...))

(define-syntax until-loop
  (syntax-rules (:do)
    ((_ cc test (:do outer variables going? inner more? steps))
     (:do cc outer variables going? inner (and (not test) more?) steps))))

;;; Dispatch on the values themselves

(define-syntax :dispatched
  (syntax-rules (index)
    ((_ cc name (index i) dispatch argument ...)
     (:parallel cc (:dispatched name dispatch argument ...) (:integers i)))
    ((_ cc name dispatch argument ...)
     (:do cc (let ((end (list 'end)) (next (generator-for dispatch (list argument ...)))))
          ((value (next end))) (not (eq? value end)) (let ((name value))) #t ((next end))))))

(define-syntax :
  (syntax-rules (index)
    ((_ cc name (index i) argument ...) (:dispatched cc name (index i) :-dispatch argument ...))
    ((_ cc name argument ...) (:dispatched cc name :-dispatch argument ...))))

(define (generator-for dispatch arguments)
  (let ((generator (dispatch arguments)))
    (if (procedure? generator)
        generator
        (error "no generator is known for" arguments))))

;; The name that is generated comes first among the operands of a generator.
(define-syntax :generator-proc
  (syntax-rules ()
    "A procedure that gives one of the generator's values after the other, then its argument."
    ((_ (generator argument ...))
     (generator (loop->procedure value) value argument ...))))

(define-syntax loop->procedure
  (syntax-rules (:do let)
    ((_ result
        (:do (let outer outer-command ...) ((variable start) ...) going?
             (let inner inner-command ...) more? (step ...)))
     (let outer
       outer-command ...
       (let ((advance (lambda () #f)) (ended? #f))
         (define (at variable ...)
           (if going?
               (let inner
                 inner-command ...
                 (let ((value result))
                   (set! advance (lambda () (if more? (at step ...) (finish))))
                   value))
               (finish)))
         (define (finish)
           (set! ended? #t)
           #f)
         (set! advance (lambda () (at start ...)))
         (lambda (end)
           (if ended?
               end
               (let ((value (advance)))
                 (if ended? end value)))))))))

(define (all? accept? items)
  (or (null? items) (and (accept? (car items)) (all? accept? (cdr items)))))

(define (make-initial-:-dispatch)
  "What (: name argument ...) does with lists, strings, vectors, numbers, characters and ports."
  (lambda (arguments)
    (let ((count (length arguments)))
      (cond ((null? arguments) '(SRFI42))
            ((all? list? arguments) (:generator-proc (:list (apply append arguments))))
            ((all? string? arguments) (:generator-proc (:string (apply string-append arguments))))
            ((all? vector? arguments) (:generator-proc (:vector (apply vector-append arguments))))
            ((and (<= count 3) (all? exact-integer? arguments))
             (apply (case-lambda
                      ((end) (:generator-proc (:range end)))
                      ((start end) (:generator-proc (:range start end)))
                      ((start end step) (:generator-proc (:range start end step))))
                    arguments))
            ((and (<= count 3) (all? real? arguments))
             (apply (case-lambda
                      ((end) (:generator-proc (:real-range end)))
                      ((start end) (:generator-proc (:real-range start end)))
                      ((start end step) (:generator-proc (:real-range start end step))))
                    arguments))
            ((and (= count 2) (all? char? arguments))
             (:generator-proc (:char-range (car arguments) (cadr arguments))))
            ((and (<= count 2) (input-port? (car arguments)))
             (let ((reader (if (= count 2) (cadr arguments) read)))
               (:generator-proc (:port (car arguments) reader))))
            (else #f)))))

(define :-dispatch (make-initial-:-dispatch))
(define (:-dispatch-ref) :-dispatch)
(define (:-dispatch-set! dispatch) (set! :-dispatch dispatch))

(define (dispatch-union first second)
  "A dispatcher that asks FIRST, then SECOND."
  (lambda (arguments)
    (if (null? arguments)
        (append (first '()) (second '()))
        (or (first arguments) (second arguments)))))
