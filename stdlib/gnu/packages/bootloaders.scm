;;; Boot loaders, as the programs that builds run.
(define-module (gnu packages bootloaders)
  #:use-module (gnu packages)
  #:export (grub grub-efi))

(define grub (package (name "grub-pc-bin")))
(define grub-efi (package (name "grub-efi-amd64-bin")))
