;;; (srfi srfi-37): args-fold, a fold over the words of a command line.

(define-module (srfi srfi-37)
  #:use-module (srfi srfi-9)
  #:export (option option? option-names option-required-arg? option-optional-arg? option-processor
            args-fold))

(define-record-type <option>
  (option names required-arg? optional-arg? processor)
  option?
  (names option-names)                  ; characters and strings
  (required-arg? option-required-arg?)
  (optional-arg? option-optional-arg?)
  (processor option-processor))         ; option, name, argument or #f, seeds -> seeds

(define (find-option name options)
  "The first of OPTIONS called NAME, or #f."
  (cond ((null? options) #f)
        ((member name (option-names (car options))) (car options))
        (else (find-option name (cdr options)))))

(define (takes-argument? option)
  (or (option-required-arg? option) (option-optional-arg? option)))

(define (option-word? word)
  (and (> (string-length word) 1) (char=? (string-ref word 0) #\-)))

(define (args-fold args options unrecognized operand . seeds)
  "Fold over the words ARGS. Each option that is met is passed to its processor, to UNRECOGNIZED if
it is not among OPTIONS, and each other word to OPERAND, always with SEEDS, which they return anew."

  ;; SEEDS after one more call, then the words REST.
  (define (continue rest seeds procedure . arguments)
    (call-with-values (lambda () (apply procedure (append arguments seeds)))
      (lambda seeds (words rest seeds))))

  (define (handle name argument rest seeds)
    (let ((known (find-option name options)))
      (if known
          (continue rest seeds (option-processor known) known name argument)
          (continue rest seeds unrecognized
                    (option (list name) (and argument #t) #f unrecognized) name argument))))

  ;; An option whose argument, if it takes one, is the next word.
  (define (handle-with-next name rest seeds)
    (let ((known (find-option name options)))
      (if (and known (option-required-arg? known) (pair? rest))
          (handle name (car rest) (cdr rest) seeds)
          (handle name #f rest seeds))))

  (define (words args seeds)
    (cond ((null? args) (apply values seeds))
          ((string=? (car args) "--") (operands (cdr args) seeds))
          ((string-prefix? "--" (car args))
           (let* ((text (substring (car args) 2))
                  (equals (string-index text #\= 1)))
             (if equals
                 (handle (substring text 0 equals) (substring text (+ equals 1)) (cdr args) seeds)
                 (handle-with-next text (cdr args) seeds))))
          ((option-word? (car args)) (letters (car args) 1 (cdr args) seeds))
          (else (continue (cdr args) seeds operand (car args)))))

  ;; The single-letter options of WORD from INDEX on.
  (define (letters word index rest seeds)
    (let* ((name (string-ref word index))
           (after (+ index 1))
           (known (find-option name options)))
      (cond ((= after (string-length word)) (handle-with-next name rest seeds))
            ((and known (takes-argument? known))
             (handle name (substring word after) rest seeds))
            (else
             (handle name #f (cons (string-append "-" (substring word after)) rest) seeds)))))

  (define (operands args seeds)
    (if (null? args)
        (apply values seeds)
        (call-with-values (lambda () (apply operand (car args) seeds))
          (lambda seeds (operands (cdr args) seeds)))))

  (words args seeds))
