;;; (rnrs sorting): sorting as R6RS has it (Libraries, 4); the predicate comes first.

(define-module (rnrs sorting)
  #:export (list-sort vector-sort vector-sort!))

(define (list-sort less? list)
  "The elements of LIST in the order of LESS?, stably."
  (sort list less?))

(define (vector-sort less? vector)
  "A vector of the elements of VECTOR in the order of LESS?."
  (sort vector less?))

(define (vector-sort! less? vector)
  "Put the elements of VECTOR in the order of LESS?."
  (sort! vector less?))
