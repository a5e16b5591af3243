;;; What can be said against an image and its partitions before anything is built, each time at the
;;; field that says it.

(define-module (gnu system partitions)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-35)
  #:use-module (rnrs bytevectors)
  #:use-module (guix records)
  #:use-module (guix gexp)
  #:use-module (guix store)
  #:use-module (gnu bootloader)
  #:use-module (gnu image)
  #:use-module (gnu partitions)
  #:use-module (gnu system)
  #:use-module (gnu system uuid)
  #:export (check-image disk-image? container? fat? iso9660? fail-at-field current-options
            standard-initializer gexp-skeleton))

(define (fail-at-field location field message hint)
  "Raise an error with MESSAGE and HINT at FIELD of the record that is written at LOCATION, or at
the first one there of a list of fields; #f for the record itself, or for a place that is not known."
  (raise (apply make-compound-condition
                (condition (&error))
                (condition (&message (message message)))
                (append
                 (if location
                     (list (condition (&error-location (location (field-location location field)))))
                     '())
                 (if hint (list (condition (&fix-hint (hint hint)))) '())))))

;; The image that is checked: where partitions are that come from Kiln itself.
(define current-image (make-parameter #f))

;; Which fields options of the command line give, instead of what is written: of the image, its
;; size; of its root partition, the label. Each with the option's name.
(define current-options (make-parameter '()))

(define (fail part field message hint)
  (cond ((and (eq? field 'label) (root-partition? part) (assq 'label (current-options)))
         => (lambda (given) (fail-at-option (cdr given) message hint)))
        ((partition-location part)
         (fail-at-field (partition-location part) field message hint))
        (else
         (fail-at-field (image-location (current-image)) 'partitions message hint))))

(define (fail-at-size image message hint . others)
  "Raise an error at the size of IMAGE, or where it is not written at a field of OTHERS."
  (cond ((assq 'size (current-options))
         => (lambda (given) (fail-at-option (cdr given) message hint)))
        (else (fail-at-field (image-location image) (cons 'size others) message hint))))

(define (fail-at-option option message hint)
  (fail-at-field #f #f (string-append option ": " message) hint))

(define %fat '("vfat" "fat12" "fat16" "fat32"))
(define %growing '("ext2" "ext3" "ext4" "btrfs"))
(define %most-in-mbr (* 512 (- (expt 2 32) 1)))
(define %most-in-file (expt 2 44))

;; Is its argument, a partition, one with a FAT file system?
(define (fat? part) (and (member (partition-file-system part) %fat) #t))
;; Is its argument, a partition, one with an ISO 9660 file system?
(define (iso9660? part) (string=? (partition-file-system part) "iso9660"))
(define (unformatted? part) (string=? (partition-file-system part) "unformatted"))
(define (mbr? image) (eq? (image-partition-table-type image) 'mbr))
(define (sized? part) (integer? (partition-size part)))

(define (bytes number)
  (string-append (number->string number) " bytes"))

;;; What is in a partition.

;; A label like this is right for every file system, so that no writer has to be asked.
(define (plain-label? label)
  (and (<= (string-length label) 11)
       (string-every (lambda (c) (or (char-alphabetic? c) (char-numeric? c) (memv c '(#\- #\_))))
                     label)
       (string-every (lambda (c) (char<? c #\x80)) label)))

(define (check-content part)
  "Raise an error if no file system is as the fields of PART say."
  (let ((kind (partition-file-system part)) (label (partition-label part)))
    (cond ((unformatted? part) (check-blob part))
          ((or (sized? part)
               (pair? (partition-file-system-options part))
               (and label (not (plain-label? label))))
           (let ((problem (partition-problem
                           kind label
                           (cond ((sized? part) (partition-size part))
                                 ;; it has no size of its own: that is another error
                                 ((string=? kind "swap") (expt 2 20))
                                 (else #f))
                           #f
                           (partition-file-system-options part))))
             (when problem
               (fail part (string->symbol (car problem)) (cadr problem) (caddr problem))))))
    (when (string=? kind "swap")
      (unless (sized? part)
        (fail part 'file-system "swap space has no size of its own" "give it a size in bytes"))
      (when (partition-initializer part)
        (fail part 'initializer "swap space cannot hold files" "leave the initializer out")))
    (check-initializer part)))

(define (check-initializer part)
  "Raise an error if the initializer of PART is not there, or no directory where PART needs one."
  (let* ((initializer (partition-initializer part))
         (kind (and (local-file? initializer) (file-kind (local-file-path initializer)))))
    (cond ((unformatted? part)
           (when (eq? kind 'directory)
             (fail part 'initializer "an unformatted partition holds a file, not a directory"
                   "give it a file system, or a file")))
          ((or (eq? kind 'regular) (any (lambda (is-file?) (is-file? initializer)) %single-files))
           (fail part 'initializer "a file system is filled from a directory, and this is one file"
                 "give a directory, or #~(lambda (root) …) that puts files into one")))))

;; What is one file, whatever is in it.
(define %single-files (list plain-file? mixed-text-file? scheme-file? program-file?))

(define (check-blob part)
  (let* ((initializer (partition-initializer part))
         (length (cond ((plain-file? initializer)
                        (bytevector-length (string->utf8 (plain-file-content initializer))))
                       ((local-file? initializer) (file-size (local-file-path initializer)))
                       (else #f))))
    (when (pair? (partition-file-system-options part))
      (fail part 'file-system-options "an unformatted partition has no file system" "leave them out"))
    (when (partition-label part)
      (fail part 'label "an unformatted partition has no file system that could have a label"
            "(name …) is its name in a GPT"))
    (when (partition-uuid part)
      (fail part 'uuid "an unformatted partition has no file system that could have a UUID"
            "(partition-uuid …) is the partition's own"))
    (unless (or initializer (sized? part))
      (fail part 'file-system "an unformatted partition has no size of its own"
            "give it a size in bytes, or an initializer with its content"))
    (when (and length (sized? part) (> length (partition-size part)))
      (fail part 'size
            (string-append "the content has " (bytes length) ", the partition "
                           (bytes (partition-size part)) ": "
                           (bytes (- length (partition-size part))) " too few")
            "give a bigger size, or none"))))

(define (check-uuid part)
  (let ((given (partition-uuid part)))
    (when (and given (iso9660? part))
      (fail part 'uuid "an ISO 9660 file system has no UUID: it is known by its label"
            "leave it out"))
    (when given
      (let ((short? (not (eq? (uuid-type given) 'dce))))
        (cond ((and (fat? part) (not short?))
               (fail part 'uuid
                     (string-append "the file system " (partition-file-system part)
                                    " has a serial number of eight digits, not a UUID like this")
                     "write (uuid \"1234-ABCD\" 'fat)"))
              ((and short? (not (fat? part)))
               (fail part 'uuid
                     (string-append "the file system " (partition-file-system part)
                                    " has no UUID of this kind")
                     "write one of 8-4-4-4-12 digits")))))))

(define (standard-initializer initializer)
  "Which of the partitions that Kiln fills itself INITIALIZER asks for, or #f: it is code."
  (and (gexp? initializer)
       (case (gexp-skeleton initializer)
         ((initialize-root-partition) 'root)
         ((initialize-efi-partition) 'efi)
         (else #f))))

(define (gexp-skeleton gexp)
  "The s-expression of GEXP with other gexps in it the same way, and #f for all that is no code."
  (apply (gexp-build gexp)
         (map (lambda (input)
                (let ((thing (gexp-input-thing input)))
                  (and (gexp? thing) (gexp-skeleton thing))))
              (gexp-inputs gexp))))

;;; What the system starts from.

(define (check-root image)
  "Raise an error if the system of IMAGE could not start from its root's file system."
  (let* ((root (find-root-partition image))
         (kind (partition-file-system root))
         (refuse (lambda (why hint)
                   (fail root 'file-system (string-append "the root cannot be " kind ": " why) hint))))
    (cond ((member kind %growing) #t)
          ((iso9660? root)
           (refuse "it has to hold a system's files, with extended attributes"
                   (string-append "choose one of " (string-join %growing ", ")
                                  "; kiln image -t iso9660 makes a live system")))
          ((not (string=? kind "erofs"))
           (refuse "it has to hold a system's files, with owners and links"
                   (string-append "choose one of " (string-join %growing ", "))))
          ((not (image-volatile-root? image))
           (refuse "what is written to it is to be kept"
                   "give the image (volatile-root? #t), or choose ext4"))
          ((not (memq (bootloader-name (bootloader-configuration-bootloader
                                        (operating-system-bootloader
                                         (image-operating-system image))))
                      '(systemd-boot uki)))
           (refuse "GRUB does not find the kernel in it"
                   "choose systemd-boot-bootloader or unified-kernel-bootloader, or ext4")))))

;;; Its entry in the partition table.

(define (check-entry image part)
  "Raise an error if the partition table of IMAGE cannot say what PART does."
  (let* ((flags (partition-flags part))
         (type (partition-type part))
         (name (or (partition-name part) (partition-label part)))
         (units (if name (quotient (bytevector-length (string->utf16 name)) 2) 0))
         (other (find (lambda (flag) (memq flag flags)) '(read-only no-auto))))
    (when (and (esp-partition? part) (not (fat? part)))
      (fail part 'file-system
            (string-append "an EFI system partition has a FAT file system, not "
                           (partition-file-system part))
            "firmware reads \"vfat\", \"fat16\" and \"fat32\""))
    (cond ((mbr? image)
           (when (partition-partition-uuid part)
             (fail part 'partition-uuid "an MBR has no UUIDs of partitions"
                   "leave it out, or give the image (partition-table-type 'gpt)"))
           (when (partition-name part)
             (fail part 'name "an MBR has no names of partitions"
                   "leave it out, or give the image (partition-table-type 'gpt)"))
           (when other
             (fail part 'flags
                   (string-append "an MBR cannot store the flag " (symbol->string other))
                   "leave it out, or give the image (partition-table-type 'gpt)"))
           (when (and type (not (and (integer? type) (< 0 type 256))))
             (fail part 'type "the type of a partition in an MBR is a number from 1 to 255"
                   "such as #x83 for Linux")))
          (else
           (when (and type (not (uuid? type)))
             (fail part 'type "the type of a partition in a GPT is a UUID" "write (uuid \"…\")"))
           (when (> units 36)
             (fail part (if (partition-name part) 'name 'label)
                   (string-append "a name in a GPT has at most 36 characters, this one "
                                  (number->string units))
                   "give a shorter (name …)"))))))

(define (check-growing image part last?)
  "Raise an error if PART, which has the flag grow, could not."
  (cond ((not last?)
         (fail part 'flags "only the last partition of a disk can grow"
               "there is no room behind another one; put it last"))
        ((not (member (partition-file-system part) %growing))
         (fail part 'flags
               (string-append "the file system " (partition-file-system part)
                              " cannot grow while it is mounted")
               (string-append "these can: " (string-join %growing ", "))))
        ((and (image-volatile-root? image) (root-partition? part))
         (fail part 'flags "a root whose changes are lost at power-off has no use for more room"
               "give the image (volatile-root? #f)"))))

;;; Where it is.

(define (check-places image)
  "Raise an error if partitions of IMAGE lie where others, or the table, must; where they are known
only once they are filled, the build says so."
  (let loop ((rest (image-partitions image))
             (end (if (mbr? image) 512 (* 512 34)))
             (before "the partition table"))
    (if (null? rest)
        (check-whole image (+ end (if (mbr? image) 0 (* 512 33))))
        (let* ((part (car rest))
               (offset (partition-offset part))
               (alignment (partition-alignment part))
               (start (if (zero? offset) (* alignment (ceiling-quotient end alignment)) offset))
               (after (+ start (if (sized? part) (partition-size part) 0))))
          (when (< start end)
            (fail part 'offset
                  (string-append "this partition begins at " (number->string start)
                                 ", but " before " ends at " (number->string end))
                  "partitions stand in the order of their places; leave the offset out"))
          (when (>= after %most-in-file)
            (fail part (if (sized? part) 'size 'offset) "no file can hold what lies beyond 16 TiB" #f))
          (when (and (mbr? image) (> after %most-in-mbr))
            (fail part (if (sized? part) 'size 'offset)
                  "an MBR cannot describe what lies beyond 2 TiB"
                  "give the image (partition-table-type 'gpt)"))
          (loop (cdr rest) after "the one before")))))

(define (check-whole image end)
  (let ((size (image-size image)))
    (when (integer? size)
      (when (< size end)
        (fail-at-size image
                      (string-append "the partitions need " (bytes end) " or more, the image has "
                                     (bytes size) ": " (bytes (- end size)) " too few")
                      "give a bigger size, or none"))
      (when (and (mbr? image) (> size %most-in-mbr))
        (fail-at-size image
                      "an MBR cannot describe a disk of more than 2 TiB"
                      "give the image (partition-table-type 'gpt)")))))

(define (check-count image)
  (let* ((parts (image-partitions image))
         (limit (if (mbr? image) 4 128)))
    (when (> (length parts) limit)
      (fail (list-ref parts limit) #f
            (string-append "the table holds " (number->string limit) " partitions, and this is one"
                           " more")
            (if (mbr? image) "a GPT holds 128: (partition-table-type 'gpt)" #f)))))

(define (check-unique part field value-of before text what hint)
  "Raise an error if one of the partitions BEFORE has the value that FIELD of PART gives: WHAT, which
TEXT makes a string of."
  (let* ((own (value-of part))
         (same? (lambda (other)
                  (and (value-of other) (string=? (text (value-of other)) (text own))))))
    (when (and own (not (equal? own "")) (any same? before))
      (fail part field (string-append "a partition before this one has the same " what) hint))))

(define (own-name part)
  "The name of PART that no other may have. All slots that are free for systemd-sysupdate are called
_empty."
  (let ((name (partition-name part)))
    (and (not (equal? name "_empty")) name)))

(define (check-partitions image)
  "Raise an error at the field of IMAGE, a disk, or of a partition that cannot be as it is declared."
  (check-root image)
  (check-count image)
  (let loop ((rest (image-partitions image)) (before '()))
    (unless (null? rest)
      (let ((part (car rest)))
        (check-entry image part)
        (check-uuid part)
        (check-content part)
        (when (and (esp-partition? part) (any esp-partition? before))
          (fail part 'flags "a second partition has the flag esp" "one is enough"))
        (for-each (lambda (field value-of)
                    (check-unique part field value-of before uuid-string "UUID"
                                  "leave it out: Kiln gives each its own"))
                  '(uuid partition-uuid)
                  (list partition-uuid partition-partition-uuid))
        (for-each (lambda (field value-of)
                    (check-unique part field value-of before identity (symbol->string field)
                                  "a system that looks for it would find either"))
                  '(label name)
                  (list partition-label own-name))
        (when (grow-partition? part)
          (check-growing image part (null? (cdr rest))))
        (loop (cdr rest) (cons part before)))))
  (check-places image))

;;; Images.

(define (disk-image? image)
  "Is IMAGE a disk with partitions, in whatever kind of file?"
  (memq (image-format image) '(disk-image compressed-qcow2 vmdk vhd vhdx)))

(define (container? image)
  "Is IMAGE an archive or a directory that containers are made of?"
  (memq (image-format image) '(docker oci tarball wsl2)))

(define (iso? image) (eq? (image-format image) 'iso9660))

(define (check-fields image)
  "Raise an error at the field of IMAGE that its format cannot honour; at the format, if the field
is inherited."
  (let ((refuse (lambda (field message hint)
                  (fail-at-field (image-location image) (list field 'format) message hint))))
    (when (and (image-shared-network? image) (not (container? image)))
      (refuse 'shared-network? "only a container can share the network of its host"
              "leave shared-network? out, or choose a type such as docker"))
    (when (and (integer? (image-size image)) (not (disk-image? image)))
      (fail-at-size image "only disks have a size that can be chosen" "leave the size out" 'format))
    (when (and (eq? (image-format image) 'vmdk) (not (image-compression? image)))
      (refuse 'compression? "a VMDK is compressed inside, always: its format wants it so"
              "leave compression? out, or choose uncompressed-qcow2 or vhd"))
    (when (and (eq? (image-format image) 'oci) (eq? (image-compression image) 'xz))
      (refuse 'compression "the layers of an OCI image are compressed by gzip or zstd, not by xz"
              "choose one of these"))
    (when (and (image-max-layers image) (not (memq (image-format image) '(docker oci))))
      (refuse 'max-layers "only containers of the formats docker and oci have layers"
              "leave max-layers out"))
    (unless (or (disk-image? image) (iso? image) (null? (image-partitions image)))
      (refuse 'partitions "only disks and ISOs have partitions"
              "(inherit docker-image) is an image without any"))
    (when (and (iso? image) (not (image-volatile-root? image)))
      (refuse 'volatile-root? "the root of an ISO cannot be written to: changes are lost at power-off"
              "leave volatile-root? out, or choose a disk"))
    (when (and (iso? image) (> (length (image-partitions image)) 1))
      (refuse 'partitions "an ISO has one partition, its root"
              "Kiln adds what UEFI starts from"))))

(define (check-medium root)
  "Raise an error at a field of ROOT, the partition of an ISO, that an ISO's root has not."
  (for-each
   (lambda (field value usual)
     (unless (equal? value usual)
       (fail root field
             (string-append "the root of an ISO is a compressed file on it: Kiln does not honour "
                            (symbol->string field) " there")
             "leave it out, or choose a disk")))
   '(size offset file-system file-system-options name uuid partition-uuid type flags initializer)
   (list (partition-size root) (partition-offset root) (partition-file-system root)
         (partition-file-system-options root) (partition-name root) (partition-uuid root)
         (partition-partition-uuid root) (partition-type root) (partition-flags root)
         (let ((initializer (partition-initializer root)))
           (and (not (eq? (standard-initializer initializer) 'root)) initializer)))
   '(guess 0 "ext4" () #f #f #f #f (boot) #f)))

(define (check-volume root)
  "Raise an error if ROOT, the partition of an ISO, cannot give the ISO its name."
  (let* ((label (partition-label root))
         (length (if label (bytevector-length (string->utf8 label)) 0)))
    (cond ((zero? length)
           (fail root (and label 'label)
                 "an ISO is found by the label of its root partition, which has none" #f))
          ((> length 32)
           (fail root 'label
                 (string-append "the label of an ISO has at most 32 bytes, this one "
                                (number->string length))
                 #f))
          ((not (string-every (lambda (c) (char<=? #\space c #\~)) label))
           (fail root 'label "the label of an ISO has characters of ASCII only" #f)))))

(define (check-image image)
  "Raise an error at the field of IMAGE, or of a partition, that cannot be as it is declared."
  (parameterize ((current-image image))
    (check-fields image)
    (cond ((disk-image? image) (check-partitions image))
          ((iso? image)
           (check-medium (find-root-partition image))
           (check-volume (find-root-partition image))))))
