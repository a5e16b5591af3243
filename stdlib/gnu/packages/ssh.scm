;;; Secure shells.
(define-module (gnu packages ssh)
  #:use-module (gnu packages)
  #:export (openssh openssh-sans-x))

(define openssh (package (name "openssh-server")))
(define openssh-sans-x openssh)
