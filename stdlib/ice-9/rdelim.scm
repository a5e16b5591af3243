;;; (ice-9 rdelim): delimited input, which Kiln has by default.

(define-module (ice-9 rdelim)
  #:re-export (read-line read-delimited read-string write-line))
