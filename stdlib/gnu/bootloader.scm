;;; Boot loaders and their configuration.
(define-module (gnu bootloader)
  #:use-module (guix records)
  #:use-module (gnu system checks)
  #:use-module (gnu system keyboard)
  #:export (bootloader bootloader? bootloader-name
            bootloader-configuration bootloader-configuration?
            bootloader-configuration-bootloader bootloader-configuration-targets
            bootloader-configuration-timeout bootloader-configuration-default-entry
            bootloader-configuration-menu-entries bootloader-configuration-keyboard-layout
            bootloader-configuration-terminal-outputs
            bootloader-configuration-serial-unit bootloader-configuration-serial-speed
            bootloader-configuration-location
            menu-entry menu-entry? menu-entry-label menu-entry-linux menu-entry-linux-arguments
            menu-entry-initrd))

(define-record-type* <bootloader> bootloader make-bootloader bootloader?
  (name bootloader-name (documentation "a symbol: grub, grub-efi, systemd-boot…")))

(define-record-type* <menu-entry> menu-entry make-menu-entry menu-entry?
  (label menu-entry-label (sanitize ensure-string) (documentation "the text in the menu"))
  (linux menu-entry-linux (sanitize ensure-string) (documentation "the kernel's path"))
  (linux-arguments menu-entry-linux-arguments (default '())
                   (sanitize (ensure-list string? "strings"))
                   (documentation "the kernel's arguments"))
  (initrd menu-entry-initrd (default #f) (sanitize (ensure-optional string? "a path"))
          (documentation "the initrd's path, or #f")))

(define-record-type* <bootloader-configuration> bootloader-configuration
  make-bootloader-configuration bootloader-configuration?
  (bootloader bootloader-configuration-bootloader
              (sanitize (ensure bootloader? "a boot loader such as grub-bootloader"))
              (documentation "which boot loader"))
  (targets bootloader-configuration-targets (default '())
           (sanitize (ensure-list string? "device names"))
           (documentation "where Guix would install it; an image has its own place for it"))
  (menu-entries bootloader-configuration-menu-entries (default '())
                (sanitize (ensure-list menu-entry? "menu-entry objects"))
                (documentation "further entries of the menu"))
  (default-entry bootloader-configuration-default-entry (default 0)
                 (sanitize (ensure integer? "an entry's number, from 0"))
                 (documentation "the number of the entry that is booted"))
  (timeout bootloader-configuration-timeout (default 5)
           (sanitize (ensure integer? "a number of seconds"))
           (documentation "how many seconds the menu waits"))
  (keyboard-layout bootloader-configuration-keyboard-layout (default #f)
                   (sanitize (ensure-optional keyboard-layout? "a keyboard-layout"))
                   (documentation "the layout of the keyboard in the menu, on BIOS machines"))
  (theme bootloader-configuration-theme (default #f) (sanitize (not-yet "theme" #f)))
  (terminal-outputs bootloader-configuration-terminal-outputs (default '(console serial))
                    (sanitize (ensure-list (lambda (v) (memq v '(console serial)))
                                           "console and serial"))
                    (documentation "where the menu is shown: console, serial"))
  (serial-unit bootloader-configuration-serial-unit (default 0)
               (sanitize (ensure integer? "a number")) (documentation "the serial port's number"))
  (serial-speed bootloader-configuration-serial-speed (default 115200)
                (sanitize (ensure integer? "a number")) (documentation "its speed in baud"))
  (location bootloader-configuration-location (innate) (default (current-source-location))))
