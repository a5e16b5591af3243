;;; Boot loaders for images: their boot code, and what lies on EFI system partitions.

(define-module (gnu system loaders)
  #:use-module (srfi srfi-1)
  #:use-module (guix gexp)
  #:use-module (guix store)
  #:use-module (gnu boot)
  #:use-module (gnu bootloader)
  #:use-module (gnu packages)
  #:use-module (gnu system)
  #:use-module (gnu system blueprint)
  #:use-module (gnu system file-systems)
  #:use-module (gnu system keyboard)
  #:use-module (gnu system menus)
  #:use-module (gnu system partitions)
  #:export (system-kernel-arguments boot-files grub-bios esp-tree grub-iso unified-kernel
            grub-menu menu-files check-loader loader-name os-release-quoted))

(define* (system-kernel-arguments os root type #:key (subvolume #f))
  "The kernel's arguments for OS with its root on the device ROOT, of file system TYPE, in
SUBVOLUME if it has any: \"/\" is the top, which need not be what is mounted by default."
  (let ((root-fs (operating-system-root-file-system os)))
    (append (list (string-append "root=" (device->spec root)))
            (if type (list (string-append "rootfstype=" type)) '())
            (if subvolume (list (string-append "rootflags=subvol=" subvolume)) '())
            (list (if (memq 'read-only (file-system-flags root-fs)) "ro" "rw"))
            (assq-ref (operating-system-facts os) 'kernel-arguments))))

;;; GRUB's menu.

(define (terminals config)
  (list (bootloader-configuration-terminal-inputs config)
        (bootloader-configuration-terminal-outputs config)
        (bootloader-configuration-serial-unit config)
        (bootloader-configuration-serial-speed config)))

(define (graphical? config)
  (and (memq 'gfxterm (bootloader-configuration-terminal-outputs config)) #t))

;; Files of the menu, below /boot.
(define %keymap "/grub/kiln.gkb")
(define %font "/grub/unicode.pf2")
(define %background "/grub/background.png")

(define (fail config field message hint)
  (fail-at-field (bootloader-configuration-location config) field message hint))

(define (colors value)
  (and value
       (string-append (symbol->string (assq-ref value 'fg)) "/"
                      (symbol->string (assq-ref value 'bg)))))

(define (theme->list theme boot)
  (let ((resolution (grub-theme-resolution theme)))
    (list (append (if resolution
                      (list (string-append (number->string (car resolution)) "x"
                                           (number->string (cdr resolution))))
                      '())
                  (grub-theme-gfxmode theme))
          (colors (grub-theme-color-normal theme))
          (colors (grub-theme-color-highlight theme))
          (and (grub-theme-image theme) (string-append boot %background)))))

(define* (grub-menu os linux initrd arguments #:key (boot "/boot"))
  "The text of grub.cfg that starts the kernel LINUX with INITRD and ARGUMENTS. BOOT is where GRUB
finds the directory /boot."
  (let* ((config (operating-system-bootloader os))
         (theme (bootloader-configuration-theme config))
         (entries (cons (list (operating-system-label os) linux initrd arguments #f #f)
                        (grub-entries config boot))))
    (check-quotes (operating-system-location os) 'kernel-arguments arguments)
    (check-default-entry config)
    (when (and theme (not (graphical? config)))
      (fail config 'theme "a theme is for a menu on a screen"
            "add gfxterm to terminal-outputs"))
    (grub-configuration entries (bootloader-configuration-default-entry config)
                        (bootloader-configuration-timeout config)
                        (terminals config)
                        (and (bootloader-configuration-keyboard-layout config)
                             (string-append boot %keymap))
                        (and (graphical? config) (string-append boot %font))
                        (and theme (theme->list theme boot)))))

(define (menu-files os)
  "The lowered files beside grub.cfg: the keyboard's layout, a font, a picture, kernels, as the menu
of OS needs them."
  (let* ((config (operating-system-bootloader os))
         (layout (bootloader-configuration-keyboard-layout config))
         (theme (bootloader-configuration-theme config))
         (picture (and theme (grub-theme-image theme)))
         (tools (and (graphical? config) (native-packages-named "grub-common" "grub-pc-bin"))))
    (append
     (if layout (list (file-of %keymap (lower-object (keymap-derivation layout)))) '())
     (if tools
         (list (file-of %font (make-lowered (string-append (derivation-path tools)
                                                           "/usr/share/grub/unicode.pf2")
                                            (list tools) '())))
         '())
     (if picture (list (file-of %background (lower-object picture))) '())
     (grub-entry-files config))))

(define (file-of path lowered)
  (tree-file (string-append "boot" path) `((source . ,(lowered-value lowered)))
             #:inputs (lowered-inputs lowered)))

(define (check-loader os)
  "Raise an error at the field of OS's bootloader-configuration that its boot loader cannot honour."
  (let* ((config (operating-system-bootloader os))
         (name (loader-name os))
         (refuse (lambda (field value default)
                   (unless (equal? value default)
                     (fail config field
                           (string-append "this boot loader does not honour "
                                          (symbol->string field))
                           "leave it out, or use GRUB")))))
    (when (eq? name 'systemd-boot)
      (check-systemd-entries config)
      (check-default-entry config))
    (when (eq? name 'uki)
      (refuse 'menu-entries (bootloader-configuration-menu-entries config) '())
      (refuse 'default-entry (bootloader-configuration-default-entry config) 0))
    (when (memq name '(systemd-boot uki))
      (refuse 'keyboard-layout (bootloader-configuration-keyboard-layout config) #f)
      (refuse 'theme (bootloader-configuration-theme config) #f)
      (refuse 'serial-unit (bootloader-configuration-serial-unit config) 0)
      (refuse 'serial-speed (bootloader-configuration-serial-speed config) 115200)
      (refuse 'terminal-inputs (bootloader-configuration-terminal-inputs config) '())
      (refuse 'terminal-outputs (bootloader-configuration-terminal-outputs config)
              '(console serial)))
    (when (and (eq? name 'uki) (not (memv (bootloader-configuration-timeout config) '(0 5))))
      (fail config 'timeout "a kernel that the firmware starts has no menu that could wait"
            "leave it out, or use systemd-boot-bootloader or GRUB"))))

(define (keymap-derivation layout)
  "The derivation of the keyboard LAYOUT for GRUB."
  (let ((tools (apply native-packages-named (grub-keymap-packages))))
    (derivation "grub-keymap" "grub-keymap"
                `((native . ,(derivation-path tools))
                  (layout . ,(keyboard-layout-name layout))
                  (variant . ,(or (keyboard-layout-variant layout) 'null))
                  (model . ,(or (keyboard-layout-model layout) 'null))
                  (options . ,(list->vector (keyboard-layout-options layout))))
                (list tools)
                "make GRUB's keyboard layout")))

(define (boot-directory subvolume)
  "Where GRUB, which sees a btrfs from its top, finds /boot of a root in SUBVOLUME."
  (if subvolume (string-append "/" subvolume "/boot") "/boot"))

(define* (boot-files os blueprint arguments #:key (subvolume #f))
  "The lowered files of /boot, for boot loaders that read them there; the root is in SUBVOLUME, or
fills its file system."
  (let* ((version (blueprint-kernel-version blueprint))
         (initrd (blueprint-initrd blueprint))
         (boot (boot-directory subvolume))
         (linux (string-append boot "/vmlinuz-" version))
         (initrd-name (string-append "initrd.img-" version)))
    (cons
     (tree-file (string-append "boot/" initrd-name) `((source . ,(derivation-path initrd)))
                #:inputs (list initrd))
     (if (memq (loader-name os) '(systemd-boot uki))
         '()
         (cons (tree-file "boot/grub/grub.cfg"
                          `((text . ,(grub-menu os linux (string-append boot "/" initrd-name)
                                                arguments #:boot boot))))
               (menu-files os))))))

(define (loader-name os)
  "The name of OS's boot loader: grub, systemd-boot…"
  (bootloader-name (bootloader-configuration-bootloader (operating-system-bootloader os))))

;;; BIOS.

(define* (early-configuration os kind value #:optional (subvolume #f))
  (grub-early-configuration kind value (boot-directory subvolume)
                            (terminals (operating-system-bootloader os))))

(define* (grub-bios os root-uuid #:key (type "ext4") (subvolume #f))
  "The derivation of GRUB's boot code for BIOS machines, which looks for its root by ROOT-UUID: a
file system of TYPE, in SUBVOLUME if it has any."
  (let ((tools (native-packages-named "grub-common" "grub-pc-bin")))
    (derivation "grub-bios" "grub-bios"
                `((native . ,(derivation-path tools))
                  (modules . ,(or (grub-bios-modules type) 'null))
                  (prefix . "/boot/grub")
                  (early . ,(early-configuration os "uuid" root-uuid subvolume)))
                (list tools)
                "make GRUB's boot code")))

(define (grub-iso os label)
  "The derivation of GRUB's boot code for an ISO whose volume is called LABEL."
  (let ((tools (native-packages-named "grub-common" "grub-pc-bin")))
    (derivation "grub-iso" "grub-iso"
                `((native . ,(derivation-path tools))
                  (modules . null)
                  (early . ,(early-configuration os "label" label)))
                (list tools)
                "make GRUB's boot code for an ISO")))

;;; UEFI.

(define* (esp-tree os blueprint arguments #:key (root-uuid #f) (root-label #f) (subvolume #f)
                   (tree #f))
  "The derivation of the tree of an EFI system partition that starts OS from the root with
ROOT-UUID, or ROOT-LABEL, in SUBVOLUME if it has any. TREE is the system's, for loaders that do not
read its file system."
  (let ((name (loader-name os))
        (config (if root-uuid
                    (grub-loader-configuration "uuid" root-uuid (boot-directory subvolume))
                    (grub-loader-configuration "label" root-label (boot-directory subvolume)))))
    (case name
      ((grub grub-efi)
       (let ((tools (native-packages-named "grub-common" "grub-efi-amd64-bin")))
         (derivation "esp" "grub-efi"
                     `((native . ,(derivation-path tools)) (config . ,config))
                     (list tools)
                     "make GRUB for UEFI")))
      ((grub-efi-signed)
       (let ((packages (map unpacked-package-named
                            '("shim-signed" "shim-helpers-amd64-signed"
                              "grub-efi-amd64-signed"))))
         (derivation "esp" "shim"
                     `((packages . ,(list->vector (map derivation-path packages)))
                       (config . ,config))
                     packages
                     "lay out shim and GRUB for Secure Boot")))
      ((systemd-boot)
       (let* ((package (unpacked-package-named "systemd-boot-efi"))
              (loader (operating-system-bootloader os))
              (default (bootloader-configuration-default-entry loader))
              (more (systemd-entries loader tree)))
         (derivation "esp" "systemd-boot"
                     `((packages . ,(vector (derivation-path package)))
                       (timeout . ,(bootloader-configuration-timeout loader))
                       (default . ,(if (zero? default)
                                       "system"
                                       (assq-ref (list-ref (car more) (- default 1)) 'id)))
                       (entries
                        . ,(list->vector
                            (cons `((id . "system")
                                    (title . ,(operating-system-label os))
                                    (linux . ,(blueprint-kernel-file blueprint))
                                    (initrd . ,(derivation-path (blueprint-initrd blueprint)))
                                    (arguments . ,(list->vector arguments)))
                                  (car more)))))
                     (append (list package (blueprint-root blueprint) (blueprint-initrd blueprint))
                             (cdr more))
                     "lay out systemd-boot"
                     (cons (bootloader-configuration-location loader)
                           (map menu-entry-location
                                (bootloader-configuration-menu-entries loader))))))
      ((uki)
       (let ((kernel (unified-kernel os blueprint (blueprint-initrd blueprint) arguments)))
         (derivation "esp" "esp"
                     `((files . ,(vector `((path . "EFI/BOOT/BOOTX64.EFI")
                                           (source . ,(derivation-path kernel))))))
                     (list kernel)
                     "lay out the EFI system partition")))
      (else (error "this boot loader cannot start from UEFI:" name)))))

(define (os-release-quoted text)
  "TEXT as a value of os-release(5)."
  (string-append "\""
                 (string-concatenate
                  (map (lambda (c) (if (memv c '(#\" #\\ #\$ #\`)) (string #\\ c) (string c)))
                       (string->list text)))
                 "\""))

(define* (unified-kernel os blueprint initrd arguments #:key (name "linux.efi"))
  "The derivation of the kernel of BLUEPRINT, the derivation INITRD and ARGUMENTS as one program
called NAME."
  (let ((package (unpacked-package-named "systemd-boot-efi")))
    (derivation name "uki"
                `((packages . ,(vector (derivation-path package)))
                  (linux . ,(blueprint-kernel-file blueprint))
                  (initrd . ,(derivation-path initrd))
                  (arguments . ,(list->vector arguments))
                  (release . ,(blueprint-kernel-version blueprint))
                  (os_release . ,(string-append "ID=debian\nPRETTY_NAME="
                                                (os-release-quoted (operating-system-label os))
                                                "\n")))
                (list package (blueprint-root blueprint) initrd)
                "make the unified kernel image")))
