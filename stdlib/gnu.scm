;;; What configurations start from.
(define-module (gnu)
  #:use-module (guix gexp)
  #:use-module (gnu bootloader)
  #:use-module (gnu bootloader grub)
  #:use-module (gnu packages)
  #:use-module (gnu packages linux)
  #:use-module (gnu services)
  #:use-module (gnu services base)
  #:use-module (gnu system)
  #:use-module (gnu system accounts)
  #:use-module (gnu system file-systems)
  #:use-module (gnu system keyboard)
  #:use-module (gnu system shadow)
  #:use-module (gnu system uuid)
  #:re-export-modules ((guix gexp) (gnu bootloader) (gnu bootloader grub) (gnu packages)
                       (gnu services) (gnu services base) (gnu system) (gnu system accounts)
                       (gnu system file-systems) (gnu system keyboard) (gnu system shadow)
                       (gnu system uuid))
  #:re-export (linux linux-libre linux-cloud)
  #:export (use-service-modules use-package-modules use-system-modules))

(define-syntax define-module-family
  (syntax-rules ()
    ((_ name parent ...)
     (define-syntax name
       (lambda (form)
         (syntax-case form ()
           ((_ module (... ...))
            #'(use-modules (parent ... module) (... ...)))))))))

;; Import (gnu services MODULE) ...
(define-module-family use-service-modules gnu services)
;; Import (gnu packages MODULE) ...
(define-module-family use-package-modules gnu packages)
;; Import (gnu system MODULE) ...
(define-module-family use-system-modules gnu system)
