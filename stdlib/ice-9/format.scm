;;; (ice-9 format): the full format, which Kiln has by default.

(define-module (ice-9 format)
  #:re-export (format))
