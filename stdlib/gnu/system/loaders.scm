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
  #:export (system-kernel-arguments boot-files grub-bios esp-tree grub-iso unified-kernel
            grub-menu))

(define* (system-kernel-arguments os root type #:key (subvolume #f))
  "The kernel's arguments for OS with its root on the device ROOT, of file system TYPE, in
SUBVOLUME if it has any."
  (let ((root-fs (operating-system-root-file-system os)))
    (append (list (string-append "root=" (device->spec root)))
            (if type (list (string-append "rootfstype=" type)) '())
            (if subvolume (list (string-append "rootflags=subvol=" subvolume)) '())
            (list (if (memq 'read-only (file-system-flags root-fs)) "ro" "rw"))
            (assq-ref (operating-system-facts os) 'kernel-arguments))))

(define (serial-menu? config)
  (and (memq 'serial (bootloader-configuration-terminal-outputs config)) #t))

(define* (grub-menu os linux initrd arguments #:key (keymap #f))
  "The text of grub.cfg that starts the kernel LINUX with INITRD and ARGUMENTS."
  (let* ((config (operating-system-bootloader os))
         (others (map (lambda (entry)
                        (list (menu-entry-label entry) (menu-entry-linux entry)
                              (menu-entry-initrd entry) (menu-entry-linux-arguments entry)))
                      (bootloader-configuration-menu-entries config))))
    (grub-configuration (cons (list (operating-system-label os) linux initrd arguments) others)
                        (bootloader-configuration-default-entry config)
                        (bootloader-configuration-timeout config)
                        (serial-menu? config)
                        (bootloader-configuration-serial-unit config)
                        (bootloader-configuration-serial-speed config)
                        keymap)))

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
         (initrd-name (string-append "initrd.img-" version))
         (layout (bootloader-configuration-keyboard-layout (operating-system-bootloader os)))
         (keymap (and layout (keymap-derivation layout)))
         (keymap-name "grub/kiln.gkb"))
    (append
     (list
      (tree-file "boot/grub/grub.cfg"
                 `((text . ,(grub-menu os linux (string-append boot "/" initrd-name) arguments
                                       #:keymap (and keymap
                                                     (string-append boot "/" keymap-name))))))
      (tree-file (string-append "boot/" initrd-name) `((source . ,(derivation-path initrd)))
                 #:inputs (list initrd)))
     (if keymap
         (list (tree-file (string-append "boot/" keymap-name) `((source . ,(derivation-path keymap)))
                          #:inputs (list keymap)))
         '()))))

;;; BIOS.

(define* (early-configuration os kind value #:optional (subvolume #f))
  (let ((config (operating-system-bootloader os)))
    (grub-early-configuration kind value (boot-directory subvolume) (serial-menu? config)
                              (bootloader-configuration-serial-unit config)
                              (bootloader-configuration-serial-speed config))))

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

(define* (esp-tree os blueprint arguments #:key (root-uuid #f) (root-label #f) (subvolume #f))
  "The derivation of the tree of an EFI system partition that starts OS from the root with
ROOT-UUID, or ROOT-LABEL, in SUBVOLUME if it has any."
  (let ((name (bootloader-name
               (bootloader-configuration-bootloader (operating-system-bootloader os))))
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
              (loader (operating-system-bootloader os)))
         (derivation "esp" "systemd-boot"
                     `((packages . ,(vector (derivation-path package)))
                       (timeout . ,(bootloader-configuration-timeout loader))
                       (entries
                        . ,(vector
                            `((id . "system")
                              (title . ,(operating-system-label os))
                              (linux . ,(blueprint-kernel-file blueprint))
                              (initrd . ,(derivation-path (blueprint-initrd blueprint)))
                              (arguments . ,(list->vector arguments))))))
                     (list package (blueprint-root blueprint) (blueprint-initrd blueprint))
                     "lay out systemd-boot")))
      ((uki)
       (let ((kernel (unified-kernel os blueprint (blueprint-initrd blueprint) arguments)))
         (derivation "esp" "esp"
                     `((files . ,(vector `((path . "EFI/BOOT/BOOTX64.EFI")
                                           (source . ,(derivation-path kernel))))))
                     (list kernel)
                     "lay out the EFI system partition")))
      (else (error "this boot loader cannot start from UEFI:" name)))))

(define (unified-kernel os blueprint initrd arguments)
  "The derivation of the kernel of BLUEPRINT, the derivation INITRD and ARGUMENTS as one program."
  (let ((package (unpacked-package-named "systemd-boot-efi")))
    (derivation "linux.efi" "uki"
                `((packages . ,(vector (derivation-path package)))
                  (linux . ,(blueprint-kernel-file blueprint))
                  (initrd . ,(derivation-path initrd))
                  (arguments . ,(list->vector arguments))
                  (release . ,(blueprint-kernel-version blueprint))
                  (os_release . ,(string-append "ID=debian\nPRETTY_NAME=\""
                                                (operating-system-label os) "\"\n")))
                (list package (blueprint-root blueprint) initrd)
                "make the unified kernel image")))
