;;; SRFI 1: lists.
(use-modules (srfi srfi-64) (srfi srfi-1))
(test-begin "srfi-1")

(test-group "constructors"
  (test-equal '(1 . 2) (xcons 2 1))
  (test-equal '(1 2 . 3) (cons* 1 2 3))
  (test-equal '(a a) (make-list 2 'a))
  (test-equal '(0 1 4) (list-tabulate 3 (lambda (i) (* i i))))
  (test-equal '(1 2) (list-copy '(1 2)))
  (test-equal '(a b a b) (take (circular-list 'a 'b) 4))
  (test-equal '(0. -0.5 -1.) (iota 3 0 -0.5)))

(test-group "predicates"
  (test-equal '(#t #f #f) (map proper-list? (list '(1) '(1 . 2) (circular-list 1))))
  (test-equal '(#f #t #f) (map dotted-list? (list '(1) '(1 . 2) (circular-list 1))))
  (test-equal '(#f #f #t) (map circular-list? (list '(1) '(1 . 2) (circular-list 1))))
  (test-equal '(#t #f) (map not-pair? '(1 (1))))
  (test-assert (null-list? '()))
  (test-assert (list= eq? '(a b) '(a b) '(a b)))
  (test-assert (not (list= eq? '(a b) '(a)))))

(test-group "selectors"
  (test-equal '(1 2 3 5) (map (lambda (pick) (pick '(1 2 3 4 5))) (list first second third fifth)))
  (test-equal '(1 (2)) (call-with-values (lambda () (car+cdr '(1 2))) list))
  (test-equal '((1 2) (3)) (list (take '(1 2 3) 2) (drop '(1 2 3) 2)))
  (test-equal '((2 3) (1)) (list (take-right '(1 2 3) 2) (drop-right '(1 2 3) 2)))
  (test-equal '((1) (2 3)) (call-with-values (lambda () (split-at '(1 2 3) 1)) list))
  (test-equal '(3 (3)) (list (last '(1 2 3)) (last-pair '(1 2 3))))
  (test-error (first '()))
  (test-error (take '(1) 2)))

(test-group "miscellaneous"
  (test-equal '(3 #f) (list (length+ '(1 2 3)) (length+ (circular-list 1))))
  (test-equal '(1 2 3) (concatenate '((1) (2 3))))
  (test-equal '(3 2 1 4) (append-reverse '(1 2 3) '(4)))
  (test-equal '((1 a) (2 b)) (zip '(1 2) '(a b)))
  (test-equal '((1 2) (a b)) (call-with-values (lambda () (unzip2 '((1 a) (2 b)))) list))
  (test-equal 2 (count even? '(1 2 4)))
  (test-equal 1 (count < '(1 5) '(2 4))))

(test-group "folds"
  (test-equal '(3 2 1) (fold cons '() '(1 2 3)))
  (test-equal '(1 2 3) (fold-right cons '() '(1 2 3)))
  (test-equal '(c 3 b 2 a 1) (fold cons* '() '(a b c) '(1 2 3)))
  (test-equal '(3 2 1) (pair-fold (lambda (p r) (cons (car p) r)) '() '(1 2 3)))
  (test-equal '((1 2) (2)) (pair-fold-right cons '() '(1 2)))
  (test-equal '(0 6 3) (list (reduce + 0 '()) (reduce + 0 '(1 2 3)) (reduce max 0 '(1 3 2))))
  (test-equal '(1 2 3) (reduce-right append '() '((1) (2) (3))))
  (test-equal '(1 4 9) (unfold (lambda (x) (> x 3)) (lambda (x) (* x x)) 1+ 1))
  (test-equal '(9 4 1) (unfold-right (lambda (x) (> x 3)) (lambda (x) (* x x)) 1+ 1))
  (test-equal '(1 -1 2 -2) (append-map (lambda (x) (list x (- x))) '(1 2)))
  (test-equal '(1 3) (filter-map (lambda (x) (and (odd? x) x)) '(1 2 3)))
  (test-equal '((1 2) (2)) (let ((seen '())) (pair-for-each (lambda (p) (set! seen (cons p seen))) '(1 2))
                             (reverse seen))))

(test-group "searching"
  (test-equal '((2 4) (1 3)) (call-with-values (lambda () (partition even? '(1 2 3 4))) list))
  (test-equal '((2) (1 3)) (list (filter even? '(1 2 3)) (remove even? '(1 2 3))))
  (test-equal '(2 (2 3) #f) (list (find even? '(1 2 3)) (find-tail even? '(1 2 3)) (find even? '(1))))
  (test-equal '((2) (3 4)) (list (take-while even? '(2 3 4)) (drop-while even? '(2 3 4))))
  (test-equal '((2) (3 4)) (call-with-values (lambda () (span even? '(2 3 4))) list))
  (test-equal '((1) (2 3)) (call-with-values (lambda () (break even? '(1 2 3))) list))
  (test-equal '(#t #f 4) (list (any even? '(1 2)) (any even? '(1)) (any (lambda (x) (and (even? x) (* x 2))) '(1 2))))
  (test-equal '(#t #t #f) (list (every even? '()) (every even? '(2)) (every even? '(2 3))))
  (test-equal '(1 #f) (list (list-index even? '(1 2)) (list-index even? '(1))))
  (test-equal '(1 3) (delete 2 '(1 2 3 2)))
  (test-equal '(1 2 3) (delete-duplicates '(1 2 1 3 2))))

(test-group "association lists and sets"
  (test-equal '((a . 1) (b . 2)) (alist-cons 'a 1 '((b . 2))))
  (test-equal '((b . 2)) (alist-delete 'a '((a . 1) (b . 2) (a . 3))))
  (test-assert (lset<= eq? '(a) '(b a)))
  (test-assert (lset= eq? '(a b) '(b a)))
  (test-equal '(b a) (lset-adjoin eq? '(a) 'b 'a))
  (test-equal '(c a b) (lset-union eq? '(a b) '(b c)))
  (test-equal '(b) (lset-intersection eq? '(a b) '(b c)))
  (test-equal '(a) (lset-difference eq? '(a b) '(b c))))
(test-end "srfi-1")
