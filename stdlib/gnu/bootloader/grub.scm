;;; GRUB.
(define-module (gnu bootloader grub)
  #:use-module (gnu bootloader)
  #:export (grub-bootloader grub-minimal-bootloader))

;; GRUB for BIOS machines, in the gap behind the MBR.
(define grub-bootloader (bootloader (name 'grub)))
(define grub-minimal-bootloader grub-bootloader)
