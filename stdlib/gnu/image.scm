;;; Images and their partitions, as records.
(define-module (gnu image)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-35)
  #:use-module (guix records)
  #:use-module (guix gexp)
  #:use-module (gnu system)
  #:use-module (gnu system checks)
  #:use-module (gnu system uuid)
  #:use-module (gnu partitions)
  #:use-module (guix platform)
  #:export (image image? image-name image-format image-platform image-size
            image-operating-system image-partition-table-type image-partitions
            image-compression? image-compression image-volatile-root? image-shared-store? image-shared-network?
            image-substitutable? image-max-layers image-location
            partition partition? partition-size partition-offset partition-alignment
            partition-file-system partition-file-system-options partition-label partition-name
            partition-uuid partition-partition-uuid partition-type partition-flags
            partition-initializer partition-location
            image-type image-type? image-type-name image-type-constructor
            image-type-description image-type-location
            root-partition? esp-partition? grow-partition? find-root-partition))

(define (count? value) (and (exact-integer? value) (> value 0)))
(define (bytes? value) (and (exact-integer? value) (<= 0 value %most-bytes)))
(define (size? value) (or (eq? value 'guess) (and (bytes? value) (> value 0))))
(define (offset? value) (and (bytes? value) (zero? (modulo value 512))))
(define (alignment? value) (and (offset? value) (> value 0)))

;; What a file can have on the usual file systems of hosts.
(define %most-bytes (expt 2 44))

(define %size-text "a number of bytes, at most 16 TiB, or 'guess")
(define %size-hint "4 GiB are (* 4 (expt 2 30))")
(define %place-text "a number of bytes, a multiple of 512, at most 16 TiB")

(define (full-uuid? value) (and (uuid? value) (eq? (uuid-type value) 'dce)))

(define %formats
  '(disk-image compressed-qcow2 vmdk vhd vhdx iso9660 docker oci tarball wsl2 squashfs erofs cpio
    uki))
(define %compressions '(gzip zstd xz))
(define %tables '(mbr gpt hybrid))
(define %flags '(boot esp read-only no-auto grow))
(define %file-systems
  '("ext2" "ext3" "ext4" "btrfs" "vfat" "fat12" "fat16" "fat32" "swap" "erofs" "iso9660"
    "unformatted"))

;; What needs a file from the archive of another machine, or its boot loader, cannot be made yet.
(define (ensure-supported-platform value)
  "Give back VALUE, a platform that there are images for or #f; else raise an error."
  (cond ((not value) value)
        ((not (platform? value)) (error "this must be a platform such as x86_64-linux, not" value))
        ((equal? (platform-system value) "x86_64-linux") value)
        (else
         (raise (condition
                 (&error)
                 (&message (message (string-append "images for " (or (platform-system value) "this")
                                                   " cannot be made yet: Kiln reads Debian's packages"
                                                   " and configures them for x86_64-linux only")))
                 (&fix-hint (hint "leave the platform out, or give x86_64-linux")))))))

(define (ensure-own-store value)
  "Raise an error if VALUE is not #f."
  (if value
      (error (string-append "shared-store? cannot be honoured: an image of Kiln's holds all of its"
                            " files, and runs without the store of its host; leave it out"))
      value))

(define-record-type* <partition> partition make-partition partition?
  (size partition-size (default 'guess)
        (sanitize (ensure size? %size-text %size-hint))
        (documentation "its size in bytes, or 'guess for what its content needs"))
  (offset partition-offset (default 0)
          (sanitize (ensure offset? %place-text))
          (documentation "where it starts, in bytes; 0 leaves it to Kiln"))
  (alignment partition-alignment (default (expt 2 20))
             (sanitize (ensure alignment? %place-text))
             (documentation "what its start is a multiple of, in bytes"))
  (file-system partition-file-system (default "ext4")
               (sanitize (ensure (lambda (v) (member v %file-systems))
                                 (string-append "one of " (string-join %file-systems ", "))
                                 %file-systems))
               (documentation "the file system that it holds"))
  (file-system-options partition-file-system-options (default '())
                       (sanitize (ensure-list string? "strings"))
                       (documentation "options as for the program that makes it: '(\"-m\" \"1\")"))
  (label partition-label (default #f) (sanitize (ensure-optional string? "a string"))
         (documentation "the file system's label"))
  (name partition-name (default #f) (sanitize (ensure-optional string? "a string"))
        (documentation "the name in a GPT"))
  ;; hidden: the procedure uuid is called in the fields behind it, as well
  (uuid partition-uuid (default #f) (hidden) (sanitize (ensure-optional uuid? "a uuid"))
        (documentation "the file system's UUID; #f for one that follows from the declaration"))
  (partition-uuid partition-partition-uuid (default #f)
                  (sanitize (ensure-optional full-uuid? "a uuid of 8-4-4-4-12 digits"))
                  (documentation "the partition's UUID in a GPT"))
  (type partition-type (default #f)
        (sanitize (ensure-optional (lambda (v) (or (full-uuid? v) (exact-integer? v)))
                                   "the uuid of a GPT type or the number of an MBR type"))
        (documentation "the partition's type; #f for what its file system is known by"))
  (flags partition-flags (default '())
         (sanitize (ensure-list (lambda (flag) (memq flag %flags))
                                "flags: boot, esp, read-only, no-auto, grow"
                                %flags))
         (documentation "boot for the root that is booted, esp, read-only, no-auto, and grow for the one that fills the disk when the system starts"))
  (initializer partition-initializer (default #f)
               (sanitize (ensure (lambda (v) (or (not v) (gexp? v) (file-like? v)))
                                 "a gexp of a procedure of a directory, or a file-like object"))
               (documentation "what fills it: #~(lambda (root) …), or a directory; of an unformatted one, a file"))
  (location partition-location (innate) (default (current-source-location))))

(define-record-type* <image> image make-image image?
  (name image-name (default #f)
        (sanitize (ensure-optional store-name?
                                   "a symbol of letters, digits and + - . _ ? =, not beginning with . or -"))
        (documentation "its name, a symbol"))
  (format image-format (default 'disk-image) (sanitize (one-of %formats))
          (documentation "what kind of file it is: disk-image, compressed-qcow2, iso9660…"))
  (platform image-platform (default #f) (sanitize ensure-supported-platform)
            (documentation "the machine that it is for, x86_64-linux; #f for one like this"))
  (size image-size (default 'guess) (sanitize (ensure size? %size-text %size-hint))
        (documentation "the size of the whole, in bytes, or 'guess"))
  (operating-system image-operating-system (default #f)
                    (sanitize (ensure-optional operating-system? "an operating-system"))
                    (documentation "what is in it"))
  (partition-table-type image-partition-table-type (default 'mbr) (sanitize (one-of %tables))
                        (documentation "mbr, gpt or hybrid"))
  (partitions image-partitions (default '())
              (sanitize (ensure-list partition? "partition objects"))
              (documentation "its partitions, in order"))
  (compression? image-compression? (default #t) (sanitize ensure-boolean)
                (documentation "whether a format that can be compressed is"))
  (compression image-compression (default #f)
               (sanitize (ensure-optional (lambda (v) (memq v %compressions))
                                          "one of gzip, zstd, xz"))
               (documentation "how the whole file is compressed, or #f for what its format has"))
  (volatile-root? image-volatile-root? (default #t) (sanitize ensure-boolean)
                  (documentation "whether what is written to the root is lost at power-off"))
  (shared-store? image-shared-store? (default #f) (sanitize ensure-own-store)
                 (documentation "whether it has no files of its own but those of the host's store; an image of Kiln's always has its own"))
  (shared-network? image-shared-network? (default #f) (sanitize ensure-boolean)
                   (documentation "whether a container uses its host's network: services that set up one of its own are left out"))
  (substitutable? image-substitutable? (default #t) (sanitize ensure-boolean)
                  (documentation "whether a finished one may be fetched; Kiln always builds"))
  (max-layers image-max-layers (default #f)
              (sanitize (ensure-optional count? "a number of one or more"))
              (documentation "how many layers a container image has at most"))
  (location image-location (innate) (default (current-source-location))))

(define-record-type* <image-type> image-type make-image-type image-type?
  (name image-type-name (sanitize (ensure symbol? "a symbol"))
        (documentation "what it is called on the command line"))
  (constructor image-type-constructor
               (sanitize (ensure procedure? "a procedure from an operating system to an image"))
               (documentation "a procedure from an operating system to an image"))
  (description image-type-description (default "") (sanitize ensure-string)
               (documentation "a line about it"))
  (location image-type-location (innate) (default (current-source-location))))

(define (root-partition? partition)
  "Is PARTITION the one that is filled with the system and booted?"
  (and (memq 'boot (partition-flags partition)) #t))

(define (esp-partition? partition)
  "Is PARTITION where UEFI finds a boot loader?"
  (and (memq 'esp (partition-flags partition)) #t))

(define (grow-partition? partition)
  "Does PARTITION fill the disk once the system has started?"
  (and (memq 'grow (partition-flags partition)) #t))

(define (find-root-partition image)
  "The root partition of IMAGE."
  (let ((roots (filter root-partition? (image-partitions image))))
    (cond ((null? roots)
           (raise (condition (&error)
                             (&message (message "the image has no partition with the flag boot"))
                             (&error-location
                              (location (field-location (image-location image) 'partitions)))
                             (&fix-hint (hint "give the root's partition (flags '(boot))")))))
          ((null? (cdr roots)) (car roots))
          (else
           (let ((second (partition-location (cadr roots))))
             (raise (condition (&error)
                               (&message (message "a second partition has the flag boot"))
                               (&error-location
                                (location (if second
                                              (field-location second 'flags)
                                              (field-location (image-location image) 'partitions))))
                               (&fix-hint (hint "only the root has it")))))))))
