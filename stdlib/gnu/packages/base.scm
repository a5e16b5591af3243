;;; Packages that configurations name most.
(define-module (gnu packages base)
  #:use-module (gnu packages)
  #:export (coreutils findutils grep sed tar gzip bash libc-bin locales tzdata sudo less nano))

(define-syntax-rule (define-packages (variable debian-name) ...)
  (begin (define variable (package (name debian-name))) ...))

(define-packages
  (coreutils "coreutils") (findutils "findutils") (grep "grep") (sed "sed") (tar "tar")
  (gzip "gzip") (bash "bash") (libc-bin "libc-bin") (locales "locales") (tzdata "tzdata")
  (sudo "sudo") (less "less") (nano "nano"))
