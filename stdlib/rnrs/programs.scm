;;; (rnrs programs): the command line and the end of a program (R6RS Libraries, 10).

(define-module (rnrs programs)
  #:re-export (command-line exit))
