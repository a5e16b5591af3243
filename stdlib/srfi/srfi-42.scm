;;; (srfi srfi-42): eager comprehensions.
;;;
;;; A generator (:name cc argument ...) is a macro that ends in a loop of the general form
;;;
;;;   (:do cc (let (outer ...) command ...) ((variable start) ...) going?
;;;           (let (inner ...) command ...) more? (step ...))
;;;
;;; which is handed back to the continuation cc = (macro argument ...) as its last operand. Programs
;;; add generators of their own in the same way.

(define-module (srfi srfi-42)
  #:use-module (srfi srfi-42 generators)
  #:re-export (: :list :string :vector :integers :range :real-range :char-range :port :dispatched
               :do :let :parallel :while :until
               :-dispatch-ref :-dispatch-set! make-initial-:-dispatch dispatch-union
               :generator-proc)
  #:export (do-ec list-ec append-ec string-ec string-append-ec vector-ec vector-of-length-ec
            sum-ec product-ec min-ec max-ec any?-ec every?-ec first-ec last-ec
            fold-ec fold3-ec))

(define-syntax do-ec
  (syntax-rules (nested if not and or begin)
    "Run the last operand for each combination that the qualifiers before it generate."
    ((_ command) (begin command (if #f #f)))
    ((_ (nested qualifier ...) rest ... command)
     (do-ec qualifier ... rest ... command))
    ((_ (if test) rest ... command)
     (if test (do-ec rest ... command)))
    ((_ (not test) rest ... command)
     (if (not test) (do-ec rest ... command)))
    ((_ (and test ...) rest ... command)
     (if (and test ...) (do-ec rest ... command)))
    ((_ (or test ...) rest ... command)
     (if (or test ...) (do-ec rest ... command)))
    ((_ (begin form ...) rest ... command)
     (begin form ... (do-ec rest ... command)))
    ((_ (generator argument ...) rest ... command)
     (generator (run-loop (rest ... command)) argument ...))))

(define-syntax run-loop
  (syntax-rules (:do let)
    ((_ (rest ...)
        (:do (let outer outer-command ...) ((variable start) ...) going?
             (let inner inner-command ...) more? (step ...)))
     (let outer
       outer-command ...
       (let loop ((variable start) ...)
         (if going?
             (let inner
               inner-command ...
               (do-ec rest ...)
               (if more?
                   (loop step ...)))))))))

;;; Folds

(define-syntax-rule (fold-ec seed qualifier ... expression procedure)
  "Fold PROCEDURE of EXPRESSION and the result so far."
  (let ((result seed) (fold procedure))
    (do-ec qualifier ... (set! result (fold expression result)))
    result))

(define-syntax-rule (fold3-ec default qualifier ... expression first procedure)
  "As fold-ec, beginning with FIRST of the first EXPRESSION; DEFAULT if there is none."
  (let ((result #f) (empty? #t) (begin-with first) (fold procedure))
    (do-ec qualifier ...
           (let ((value expression))
             (set! result (if empty? (begin-with value) (fold value result)))
             (set! empty? #f)))
    (if empty? default result)))

(define-syntax-rule (list-ec qualifier ... expression)
  (reverse! (fold-ec '() qualifier ... expression cons)))

(define-syntax-rule (append-ec qualifier ... expression)
  (apply append (list-ec qualifier ... expression)))

(define-syntax-rule (string-ec qualifier ... expression)
  (list->string (list-ec qualifier ... expression)))

(define-syntax-rule (string-append-ec qualifier ... expression)
  (apply string-append (list-ec qualifier ... expression)))

(define-syntax-rule (vector-ec qualifier ... expression)
  (list->vector (list-ec qualifier ... expression)))

(define-syntax-rule (vector-of-length-ec size qualifier ... expression)
  "A vector of SIZE elements; an error if there are more or fewer."
  (let* ((length size) (result (make-vector length)) (index 0))
    (do-ec qualifier ...
           (let ((value expression))
             (unless (< index length)
               (error "vector-of-length-ec: there are more elements than" length))
             (vector-set! result index value)
             (set! index (+ index 1))))
    (unless (= index length)
      (error "vector-of-length-ec: there are fewer elements than" length))
    result))

(define-syntax-rule (sum-ec qualifier ... expression)
  (fold-ec 0 qualifier ... expression +))

(define-syntax-rule (product-ec qualifier ... expression)
  (fold-ec 1 qualifier ... expression *))

(define-syntax-rule (min-ec qualifier ... expression)
  (fold3-ec (min) qualifier ... expression identity min))

(define-syntax-rule (max-ec qualifier ... expression)
  (fold3-ec (max) qualifier ... expression identity max))

(define-syntax-rule (last-ec default qualifier ... expression)
  (let ((result default))
    (do-ec qualifier ... (set! result expression))
    result))

;;; Those that may stop early

(define-syntax-rule (first-ec default qualifier ... expression)
  (call/ec
   (lambda (return)
     (do-ec qualifier ... (return expression))
     default)))

(define-syntax-rule (any?-ec qualifier ... test)
  (first-ec #f qualifier ... (if test) #t))

(define-syntax-rule (every?-ec qualifier ... test)
  (first-ec #t qualifier ... (if (not test)) #f))
