;;; The entries of boot menus beside the system's own: as a declaration has them, for each loader.

(define-module (gnu system menus)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-14)
  #:use-module (guix gexp)
  #:use-module (guix store)
  #:use-module (gnu bootloader)
  #:use-module (gnu system blueprint)
  #:use-module (gnu system file-systems)
  #:use-module (gnu system partitions)
  #:use-module (gnu system uuid)
  #:export (check-default-entry check-quotes grub-entries grub-entry-files
            check-systemd-entries systemd-entries))

(define (check-default-entry config)
  "Raise an error if the menu of CONFIG lacks the entry that is booted by default."
  (let ((default (bootloader-configuration-default-entry config))
        (last (length (bootloader-configuration-menu-entries config))))
    (unless (<= 0 default last)
      (fail-at-field (bootloader-configuration-location config) 'default-entry
                     (string-append "the menu has no entry " (number->string default))
                     (string-append "its entries are 0 to " (number->string last))))))

(define (fail entry field message hint)
  (fail-at-field (menu-entry-location entry) field message hint))

(define (check-kind entry)
  (unless (if (menu-entry-linux entry)
              (not (menu-entry-chain-loader entry))
              (menu-entry-chain-loader entry))
    (fail entry #f "a menu entry starts a kernel or another boot loader"
          "give it either (linux …) or (chain-loader …)")))

;; A kernel and an initrd, with the fields and the names that their files get.
(define %files
  (list (list 'linux menu-entry-linux "linux") (list 'initrd menu-entry-initrd "initrd")))

(define (numbered entries) (map cons entries (iota (length entries) 1)))

;;; GRUB.

(define (check-quotes location field arguments)
  "Raise an error at FIELD of the record at LOCATION if GRUB would change one of ARGUMENTS."
  (for-each (lambda (argument)
              (when (string-any (string->char-set "'\"\\") argument)
                (fail-at-field location field
                               (string-append "the kernel argument " argument
                                              " has a quote or a backslash, before which GRUB puts"
                                              " another")
                               "write it without; blanks are quoted without your help")))
            arguments))

;; Where a file-like object of the entry NUMBER is put, below /boot.
(define (entry-place number name)
  (string-append "/grub/entries/" (number->string number) "/" name))

(define (grub-entries config boot)
  "The further entries of the menu of CONFIG, as grub-configuration takes them. BOOT is where GRUB
finds the directory /boot."
  (map (lambda (pair) (grub-entry (car pair) (cdr pair) boot))
       (numbered (bootloader-configuration-menu-entries config))))

(define (grub-entry entry number boot)
  (let ((device (menu-entry-device entry)))
    (check-kind entry)
    (check-quotes (menu-entry-location entry) 'linux-arguments (menu-entry-linux-arguments entry))
    (let ((places (map (lambda (file)
                         (let ((given ((cadr file) entry)))
                           (cond ((or (not given) (string? given)) given)
                                 (device
                                  (fail entry 'device
                                        (string-append (symbol->string (car file))
                                                       " is a file that Kiln puts into the root")
                                        "leave the device out, or give a path"))
                                 (else (string-append boot (entry-place number (caddr file)))))))
                       %files)))
      (list (menu-entry-label entry) (or (car places) "") (cadr places)
            (menu-entry-linux-arguments entry) (menu-entry-chain-loader entry)
            (cond ((not device) #f)
                  ((uuid? device) (list "uuid" (uuid-string device)))
                  (else (list "label" (file-system-label->string device))))))))

(define (grub-entry-files config)
  "The lowered files of the tree that the entries of CONFIG need."
  (append-map
   (lambda (pair)
     (filter-map
      (lambda (file)
        (let ((given ((cadr file) (car pair))))
          (and given
               (not (string? given))
               (let ((lowered (lower-object given #:native? #t)))
                 (tree-file (string-append "boot" (entry-place (cdr pair) (caddr file)))
                            `((source . ,(lowered-value lowered)))
                            #:inputs (lowered-inputs lowered))))))
      %files))
   (numbered (bootloader-configuration-menu-entries config))))

;;; systemd-boot, which reads no other file system than its own: the kernels are copied there.

(define (check-systemd-entries config)
  "Raise an error at the field of an entry of CONFIG that systemd-boot cannot honour."
  (for-each
   (lambda (entry)
     (check-kind entry)
     (when (menu-entry-device entry)
       (fail entry 'device "systemd-boot starts what is on its own EFI system partition only"
             "leave the device out: Kiln copies the system's files there; or use GRUB"))
     (for-each
      (lambda (field value)
        (when (and (string? value) (not (string-prefix? "/" value)))
          (fail entry field
                (if (eq? field 'chain-loader)
                    "systemd-boot starts programs of its EFI system partition, no boot sectors"
                    "this is no absolute path")
                "write a path that begins with /")))
      '(linux initrd chain-loader)
      (list (menu-entry-linux entry) (menu-entry-initrd entry) (menu-entry-chain-loader entry))))
   (bootloader-configuration-menu-entries config)))

(define (systemd-entries config tree)
  "The further entries of the menu of CONFIG, as the builder of systemd-boot takes them, and their
inputs: a pair of lists. Paths are those of the system's TREE."
  (let* ((inputs '())
         (source (lambda (given)
                   (cond ((not given) 'null)
                         ((string? given)
                          (set! inputs (cons tree inputs))
                          (string-append (derivation-path tree) given))
                         (else
                          (let ((lowered (lower-object given #:native? #t)))
                            (set! inputs (append (lowered-inputs lowered) inputs))
                            (lowered-value lowered))))))
         (entries
          (map (lambda (pair)
                 (let ((entry (car pair)))
                   `((id . ,(string-append "entry-" (number->string (cdr pair))))
                     (title . ,(menu-entry-label entry))
                     ,@(if (menu-entry-chain-loader entry)
                           `((efi . ,(menu-entry-chain-loader entry)))
                           `((linux . ,(source (menu-entry-linux entry)))
                             (initrd . ,(source (menu-entry-initrd entry)))))
                     (arguments . ,(list->vector (menu-entry-linux-arguments entry))))))
               (numbered (bootloader-configuration-menu-entries config)))))
    (cons entries (delete-duplicates inputs eq?))))
