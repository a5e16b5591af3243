;;; SRFI 37: args-fold.
(use-modules (srfi srfi-64) (srfi srfi-37))
(test-begin "srfi-37")

(define (note option name argument seen) (cons (list name argument) seen))
(define options
  (list (option '(#\v "verbose") #f #f note)
        (option '(#\o "output") #t #f note)
        (option '(#\c "color") #f #t note)))
(define (parse . args)
  (reverse (args-fold args options
                      (lambda (option name argument seen) (cons (list 'unknown name argument) seen))
                      (lambda (operand seen) (cons operand seen))
                      '())))

(test-equal '() (parse))
(test-equal '("a" "b") (parse "a" "b"))
(test-equal '((#\v #f)) (parse "-v"))
(test-equal '(("verbose" #f)) (parse "--verbose"))
(test-equal '((#\o "x")) (parse "-ox"))
(test-equal '((#\o "x")) (parse "-o" "x"))
(test-equal '(("output" "x=y")) (parse "--output=x=y"))
(test-equal '((#\c "x")) (parse "-cx"))
(test-equal '(("color" "x")) (parse "--color=x"))
(test-equal '(("color" #f) "x") (parse "--color" "x"))
(test-equal '((#\v #f) (#\v #f) (#\o "x") "y") (parse "-vvo" "x" "y"))
(test-equal '((unknown #\z #f) (#\v #f)) (parse "-zv"))
(test-equal '((unknown "zero" #f)) (parse "--zero"))
(test-equal '("a" (#\v #f) "-v" "--") (parse "a" "-v" "--" "-v" "--"))
(test-equal '("-") (parse "-"))
(test-equal "several seeds" '(1 2)
  (call-with-values
      (lambda ()
        (args-fold '("-v" "a" "b")
                   (list (option '(#\v) #f #f (lambda (o n a flags words) (values (+ flags 1) words))))
                   (lambda (o n a flags words) (values flags words))
                   (lambda (word flags words) (values flags (+ words 1)))
                   0 0))
    list))
(test-equal '(#\o "output") (option-names (cadr options)))
(test-assert (option-required-arg? (cadr options)))
(test-assert (not (option-optional-arg? (cadr options))))
(test-assert (procedure? (option-processor (cadr options))))

;; as the SRFI's reference implementation has it; Guile goes its own way
(cond-expand
 (kiln
  (test-equal '(("output" "x")) (parse "--output" "x"))
  (test-equal '((#\c #f) "x") (parse "-c" "x"))
  (test-equal '((unknown "zero" "1")) (parse "--zero=1"))
  (test-equal '((#\o #f)) (parse "-o"))
  (test-assert (option? (car options))))
 (else))
(test-end "srfi-37")
