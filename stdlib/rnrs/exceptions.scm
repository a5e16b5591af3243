;;; (rnrs exceptions): raising and handling (R6RS Libraries, 7.1); guard is native.

(define-module (rnrs exceptions)
  #:re-export (raise raise-continuable with-exception-handler))
