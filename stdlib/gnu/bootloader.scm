;;; Boot loaders and their configuration.
(define-module (gnu bootloader)
  #:use-module (srfi srfi-1)
  #:use-module (guix gexp)
  #:use-module (guix records)
  #:use-module (gnu system checks)
  #:use-module (gnu system file-systems)
  #:use-module (gnu system keyboard)
  #:export (bootloader bootloader? bootloader-name
            bootloader-configuration bootloader-configuration?
            bootloader-configuration-bootloader bootloader-configuration-targets
            bootloader-configuration-timeout bootloader-configuration-default-entry
            bootloader-configuration-menu-entries bootloader-configuration-keyboard-layout
            bootloader-configuration-terminal-outputs bootloader-configuration-terminal-inputs
            bootloader-configuration-theme
            bootloader-configuration-serial-unit bootloader-configuration-serial-speed
            bootloader-configuration-location
            menu-entry menu-entry? menu-entry-label menu-entry-linux menu-entry-linux-arguments
            menu-entry-initrd menu-entry-device menu-entry-chain-loader menu-entry-location
            grub-theme grub-theme? grub-theme-image grub-theme-resolution grub-theme-gfxmode
            grub-theme-color-normal grub-theme-color-highlight))

(define-record-type* <bootloader> bootloader make-bootloader bootloader?
  (name bootloader-name (documentation "a symbol: grub, grub-efi, systemd-boot…")))

;; Its argument, which must be a file that a boot loader can find, or #f.
(define ensure-file
  (ensure-optional (lambda (v) (or (string? v) (file-like? v))) "a path or a file-like object"))

(define-record-type* <menu-entry> menu-entry make-menu-entry menu-entry?
  (label menu-entry-label (sanitize ensure-line) (documentation "the text in the menu"))
  (linux menu-entry-linux (default #f) (sanitize ensure-file)
         (documentation "the kernel: its path, or a file-like object; #f with a chain-loader"))
  (linux-arguments menu-entry-linux-arguments (default '())
                   (sanitize ensure-kernel-arguments)
                   (documentation "the kernel's arguments"))
  (initrd menu-entry-initrd (default #f) (sanitize ensure-file)
          (documentation "the initrd: its path, or a file-like object; #f for none"))
  (device menu-entry-device (default #f)
          (sanitize (ensure-optional (lambda (v) (or (uuid? v) (file-system-label? v)))
                                     "a uuid or a file-system-label"))
          (documentation "for GRUB, the file system that the paths are in: a uuid or a file-system-label; #f for the root"))
  (chain-loader menu-entry-chain-loader (default #f)
                (sanitize (ensure-optional string? "a path, or \"+1\" for a boot sector"))
                (documentation "another boot loader that is started instead of a kernel: its path, or \"+1\" for a boot sector; #f for none"))
  (location menu-entry-location (innate) (default (current-source-location))))

(define %colors
  '(black blue green cyan red magenta brown light-gray dark-gray light-blue light-green light-cyan
    light-red light-magenta yellow white))

(define (colors? value)
  (and (list? value)
       (every pair? value)
       (memq (assq-ref value 'fg) %colors)
       (memq (assq-ref value 'bg) %colors)))

(define ensure-colors
  (ensure-optional colors? "two of GRUB's colours, such as '((fg . cyan) (bg . blue)),"))

(define-record-type* <grub-theme> grub-theme make-grub-theme grub-theme?
  (image grub-theme-image (default #f)
         (sanitize (ensure-optional file-like? "a file-like object, a PNG picture"))
         (documentation "a picture behind the menu, a PNG; #f for none"))
  (resolution grub-theme-resolution (default #f)
              (sanitize (ensure-optional (lambda (v)
                                           (and (pair? v) (integer? (car v)) (integer? (cdr v))))
                                         "a pair of numbers such as '(1024 . 768)"))
              (documentation "the screen's width and height, such as '(1024 . 768), tried before gfxmode; #f for none"))
  (gfxmode grub-theme-gfxmode (default '("auto"))
           (sanitize (ensure-list string? "modes such as \"1024x768x32\" and \"auto\""))
           (documentation "graphics modes that are tried, such as \"1024x768x32\"; \"auto\" is what the firmware likes"))
  (color-normal grub-theme-color-normal (default #f) (sanitize ensure-colors)
                (documentation "the colours of text: '((fg . cyan) (bg . blue)); #f for GRUB's own"))
  (color-highlight grub-theme-color-highlight (default #f) (sanitize ensure-colors)
                   (documentation "the colours of the entry that is chosen")))

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
           (sanitize (ensure (lambda (v) (and (integer? v) (>= v -1))) "a number of seconds"))
           (documentation "how many seconds the menu waits; -1 is for ever"))
  (keyboard-layout bootloader-configuration-keyboard-layout (default #f)
                   (sanitize (ensure-optional keyboard-layout? "a keyboard-layout"))
                   (documentation "the layout of the keyboard in the menu, on BIOS machines"))
  (theme bootloader-configuration-theme (default #f)
         (sanitize (ensure-optional grub-theme? "a grub-theme"))
         (documentation "how the menu looks on gfxterm: a grub-theme, or #f"))
  (terminal-outputs bootloader-configuration-terminal-outputs (default '(console serial))
                    (sanitize (ensure-list (lambda (v) (memq v '(console serial gfxterm)))
                                           "console, serial and gfxterm"))
                    (documentation "where the menu is shown: console, serial, gfxterm. gfxterm is a screen with a font for all languages, in the place of the console"))
  (terminal-inputs bootloader-configuration-terminal-inputs (default '())
                   (sanitize (ensure-list (lambda (v) (memq v '(console serial at_keyboard)))
                                          "console, serial and at_keyboard"))
                   (documentation "where keys are read: console, serial, at_keyboard; '() for where the menu is shown"))
  (serial-unit bootloader-configuration-serial-unit (default 0)
               (sanitize (ensure (lambda (v) (and (integer? v) (<= 0 v 3))) "a number from 0 to 3"))
               (documentation "the serial port's number"))
  (serial-speed bootloader-configuration-serial-speed (default 115200)
                (sanitize (ensure (lambda (v)
                                    (memv v '(2400 4800 9600 19200 38400 57600 115200)))
                                  "a serial line's speed, such as 9600 or 115200"))
                (documentation "its speed in baud"))
  (location bootloader-configuration-location (innate) (default (current-source-location))))
