;;; (rnrs lists): lists as R6RS has them (Libraries, 3).

(define-module (rnrs lists)
  #:use-module ((srfi srfi-1)
                #:select (any every find filter partition fold
                          (remove . without) (fold-right . fold-from-the-right)))
  #:export (exists for-all fold-left fold-right remp remove remv remq memp assp)
  #:re-export (find filter partition member memv memq assoc assv assq cons*))

(define (exists pred list . lists)
  "The first true value that PRED gives for elements at one place of the lists, or #f."
  (apply any pred list lists))

(define (for-all pred list . lists)
  "The last value that PRED gives for elements at one place of the lists, or #f as soon as it does."
  (apply every pred list lists))

(define (fold-left combine nil list . lists)
  "COMBINE what was so far, NIL at first, with each element of LIST, from the left."
  (apply fold (lambda given
                (let ((backwards (reverse given)))
                  (apply combine (car backwards) (reverse (cdr backwards)))))
         nil list lists))

(define (fold-right combine nil list . lists)
  "COMBINE each element of LIST with what was so far, NIL at first, from the right."
  (apply fold-from-the-right combine nil list lists))

(define (remp pred list)
  "LIST without the elements that PRED holds for."
  (without pred list))

(define (remove obj list)
  "LIST without the elements that are equal? to OBJ."
  (without (lambda (element) (equal? obj element)) list))

(define (remv obj list)
  "LIST without the elements that are eqv? to OBJ."
  (without (lambda (element) (eqv? obj element)) list))

(define (remq obj list)
  "LIST without the elements that are eq? to OBJ."
  (without (lambda (element) (eq? obj element)) list))

(define (memp pred list)
  "The rest of LIST from the first element that PRED holds for on, or #f."
  (and (pair? list) (if (pred (car list)) list (memp pred (cdr list)))))

(define (assp pred alist)
  "The first entry of ALIST whose key PRED holds for, or #f."
  (find (lambda (entry) (pred (car entry))) alist))
