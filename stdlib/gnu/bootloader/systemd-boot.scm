;;; systemd-boot, and kernels that need no boot loader.
(define-module (gnu bootloader systemd-boot)
  #:use-module (gnu bootloader)
  #:export (systemd-boot-bootloader unified-kernel-bootloader))

(define systemd-boot-bootloader (bootloader (name 'systemd-boot)))

;; The kernel, the initrd and the command line as one program that the firmware starts.
(define unified-kernel-bootloader (bootloader (name 'uki)))
