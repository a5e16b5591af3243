;;; (srfi srfi-38): data with shared parts, written and read with labels.

(define-module (srfi srfi-38)
  #:export (write-with-shared-structure read-with-shared-structure))

(define* (write-with-shared-structure obj #:optional (port (current-output-port)) optarg)
  "Write OBJ with labels for what is shared."
  (write-shared obj port))

(define* (read-with-shared-structure #:optional (port (current-input-port)))
  "The next datum, in which labels stand for what is shared."
  (read port))
