;;; SRFI 98: environment variables.
(use-modules (srfi srfi-64) (srfi srfi-98))
(test-begin "srfi-98")
;; In Kiln they can be read inside builds only.
(cond-expand
 (kiln (test-error (get-environment-variable "HOME"))
       (test-error (get-environment-variables)))
 (else (test-equal #f (get-environment-variable "NO_SUCH_VARIABLE"))))
(test-end "srfi-98")
