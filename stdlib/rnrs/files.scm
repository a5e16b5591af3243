;;; (rnrs files): whether files exist, and what can be wrong with them (R6RS Libraries, 9).

(define-module (rnrs files)
  #:re-export (file-exists? delete-file)
  #:re-export-modules ((rnrs io failures)))
