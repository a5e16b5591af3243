;;; GRUB, for BIOS and UEFI machines.
(define-module (gnu bootloader grub)
  #:use-module (gnu bootloader)
  #:export (grub-bootloader grub-minimal-bootloader grub-efi-bootloader
            grub-efi-removable-bootloader grub-efi-signed-bootloader))

;; Which of BIOS and UEFI it is for follows from the image's type.
(define grub-bootloader (bootloader (name 'grub)))
(define grub-minimal-bootloader grub-bootloader)

;; For UEFI only, on the path where firmware looks on a disk that it does not know.
(define grub-efi-bootloader (bootloader (name 'grub-efi)))
(define grub-efi-removable-bootloader grub-efi-bootloader)

;; Debian's shim and GRUB, signed: for machines with Secure Boot.
(define grub-efi-signed-bootloader (bootloader (name 'grub-efi-signed)))
