;;; (rnrs exceptions): raising and handling (R6RS Libraries, 7.1).

(define-module (rnrs exceptions)
  #:re-export (guard else => raise raise-continuable with-exception-handler))
