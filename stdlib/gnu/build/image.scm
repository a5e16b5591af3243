;;; What fills partitions, for the builds of their initializers.
;;;
;;; An initializer is called with the directory of its partition, empty at first. What it says of
;;; owners and devices is recorded (builders/recording.py). To say that of all files of a system
;;; again would be slow; so initialize-root-partition and initialize-efi-partition do not copy these
;;; files, but leave a link that says that they are to lie below what the initializer makes. Kiln
;;; follows it when it writes the partition.

(define-module (gnu build image)
  #:use-module (srfi srfi-1)
  #:use-module (ice-9 ftw)
  #:use-module (guix build utils)
  #:use-module (guix build references)
  #:export (fill-partition initialize-root-partition initialize-efi-partition
            register-closure register-gc-root)
  #:export ((make-directory . mkdir)))

(define %store "/kiln/store")

;; What lies below, by the name of the link that asks for it: the item in the store, or #f.
(define current-system (make-parameter #f))
(define current-efi (make-parameter #f))

;; The directory that is being filled.
(define current-directory (make-parameter #f))

(define* (fill-partition directory initializer #:key (system #f) (efi #f) (blob? #f))
  "Call INITIALIZER with DIRECTORY, which is made, or, of a BLOB?, is the name of the file to write.
SYSTEM and EFI are the items that initialize-root-partition and initialize-efi-partition put there."
  (unless blob? (mkdir-p directory))
  (parameterize ((current-system system) (current-efi efi)
                 (current-directory (and (not blob?) directory)))
    (initializer directory)))

;; In Guix, initializers begin by making their directory.
(define (make-directory name . mode)
  "As mkdir, which is right of the directory of the partition, too: it is there already."
  (unless (equal? name (current-directory))
    (apply mkdir name mode)))

(define (lay-below root name item what)
  (unless item
    (error (string-append "there are no " what " here: this partition is no part of an image")))
  (symlink item (string-append root "/" name)))

(define (initialize-root-partition root . options)
  "Fill ROOT, the directory of a partition, with the operating system; what else is put there lies
over its files. OPTIONS are those that Guix has, and say nothing here."
  (lay-below root ".kiln-system" (current-system) "files of an operating system"))

(define (initialize-efi-partition root . options)
  "Fill ROOT, the directory of a partition, with the boot loader for UEFI; what else is put there
lies over its files. OPTIONS are those that Guix has, and say nothing here."
  (lay-below root ".kiln-efi" (current-efi) "files of a boot loader for UEFI"))

(define* (register-closure prefix closure #:key (deduplicate? #t) (reset-timestamps? #t)
                           #:allow-other-keys)
  "Put CLOSURE, an item of the store or a list of some, and all that they refer to below PREFIX, at
the same places: programs there find all they need."
  (for-each (lambda (item)
              (let ((target (string-append prefix item)))
                (unless (file-exists? target)
                  (mkdir-p (dirname target))
                  (copy-recursively item target))))
            (store-closure (if (string? closure) (list closure) closure) %store)))

(define* (register-gc-root prefix item #:optional (name (basename item)))
  "Make the link NAME to ITEM in the directory of roots below PREFIX: who tidies that store up is to
keep it."
  (let ((directory (string-append prefix "/kiln/gcroots")))
    (mkdir-p directory)
    (symlink item (string-append directory "/" name))))
