;;; Records with named fields, defaults and inheritance. The form is native to Kiln.
(define-module (guix records)
  #:re-export (define-record-type*))
