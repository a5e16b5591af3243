;;; From an operating system to the derivation of an image of it.
(define-module (gnu system image)
  #:use-module (srfi srfi-1)
  #:use-module (guix records)
  #:use-module (guix gexp)
  #:use-module (guix store)
  #:use-module (gnu boot)
  #:use-module (gnu bootloader)
  #:use-module (gnu debian)
  #:use-module (gnu image)
  #:use-module (gnu packages)
  #:use-module (gnu services)
  #:use-module (gnu system)
  #:use-module (gnu system accounts)
  #:use-module (gnu system file-systems)
  #:use-module (gnu system locale)
  #:use-module (gnu system uuid)
  #:export (root-partition mbr-disk-image mbr-raw-image-type %image-types
            lookup-image-type-by-name os->image image-with-os image-with-label
            operating-system-for-image declaration->image system-image))

(define root-partition
  (partition
   (size 'guess)
   (label "kiln-root")
   (file-system "ext4")
   (flags '(boot))))

(define mbr-disk-image
  (image
   (format 'disk-image)
   (partition-table-type 'mbr)
   (volatile-root? #f)
   (partitions (list root-partition))))

(define (image-with-os base os)
  "BASE with the operating system OS in it."
  (image (inherit base) (operating-system os)))

(define (image-with-label base label)
  "BASE with LABEL on its root partition."
  (image (inherit base)
         (partitions (map (lambda (part)
                            (if (root-partition? part)
                                (partition (inherit part) (label label))
                                part))
                          (image-partitions base)))))

(define mbr-raw-image-type
  (image-type
   (name 'mbr-raw)
   (constructor (lambda (os) (image-with-os mbr-disk-image os)))
   (description "a raw disk with an MBR, booted by the BIOS")))

(define %image-types (list mbr-raw-image-type))

(define (lookup-image-type-by-name name)
  "The image type called NAME, a symbol."
  (or (find (lambda (type) (eq? (image-type-name type) name)) %image-types)
      (raise (condition (&error)
                        (&message (message (string-append "there is no image type "
                                                          (symbol->string name))))
                        (&fix-hint (hint (string-append
                                          "the types are: "
                                          (string-join (map (lambda (type)
                                                              (symbol->string
                                                               (image-type-name type)))
                                                            %image-types)
                                                       ", "))))))))

(define* (os->image os #:key (type mbr-raw-image-type))
  "An image of OS, of TYPE."
  ((image-type-constructor type) os))

;; What a declaration on the command line ends in, and the options there, come to.
(define* (declaration->image value #:key (type 'mbr-raw) (size #f) (label #f) (volatile? #f))
  "The image that VALUE, an operating-system or an image, and the options ask for."
  (let* ((base (cond ((image? value) value)
                     ((operating-system? value)
                      (os->image value #:type (lookup-image-type-by-name type)))
                     (else
                      (error (string-append "a declaration ends in an operating-system or an image;"
                                            " this one ends in")
                             value))))
         (sized (if size (image (inherit base) (size size)) base))
         (labelled (if label (image-with-label sized label) sized)))
    (if volatile? (image (inherit labelled) (volatile-root? #t)) labelled)))

;;; Lowering.

(define (partition-uuids image facts-key)
  "The partitions of IMAGE, each with a UUID: its own, or one that follows from FACTS-KEY, which
names what is in the image, and the partition's place."
  (let loop ((rest (image-partitions image)) (number 1) (done '()))
    (if (null? rest)
        (reverse done)
        (let ((part (car rest)))
          (loop (cdr rest) (+ number 1)
                (cons (partition
                       (inherit part)
                       (uuid (or (partition-uuid part)
                                 (declaration-uuid facts-key "file system"
                                                   (number->string number))))
                       (partition-uuid (or (partition-partition-uuid part)
                                           (declaration-uuid facts-key "partition"
                                                             (number->string number)))))
                      done))))))

(define (operating-system-for-image image)
  "The operating system of IMAGE with its root on the image's root partition."
  (let* ((os (image-operating-system image))
         (root (find-root-partition image))
         (declared (operating-system-root-file-system os)))
    (operating-system
      (inherit os)
      (file-systems
       (cons (file-system (inherit declared)
                          (device (partition-uuid root))
                          (type (partition-file-system root)))
             (remove (lambda (fs) (eq? fs declared)) (operating-system-file-systems os)))))))

(define (package-requests packages)
  (map (lambda (package)
         (list (package-name package) (package-version package) (package-location package)))
       packages))

(define* (file path #:key (mode #o644) (kind "f") (contents '()))
  "A file of the image for the builder."
  `((path . ,path) (kind . ,kind) (mode . ,mode) ,@contents))

(define (lower-file path mode object)
  "A <lowered> of the image's file PATH, whose content is the file-like OBJECT."
  (let ((text (lower-text object)))
    (if text
        (make-lowered (file path #:mode mode #:contents `((text . ,(lowered-value text))))
                      (lowered-inputs text) (lowered-packages text))
        (let ((lowered (lower-object object)))
          (make-lowered (file path #:mode mode #:contents `((source . ,(lowered-value lowered))))
                        (lowered-inputs lowered) (lowered-packages lowered))))))

(define (link path target)
  (make-lowered (file path #:kind "l" #:mode #o777 #:contents `((target . ,target))) '() '()))

(define (etc-mode name)
  (if (or (string=? name "sudoers") (string-prefix? "sudoers.d/" name)) #o440 #o644))

(define (unit-files unit)
  "The files that UNIT is, and those that start it."
  (let* ((name (systemd-unit-name unit))
         (path (string-append "etc/systemd/system/" name))
         (at (string-index name #\@))
         (template (if at
                       (string-append (substring name 0 (+ at 1))
                                      (substring name (string-rindex name #\.)))
                       name)))
    (append
     (cond ((systemd-unit-masked? unit) (list (link path "/dev/null")))
           ((systemd-unit-content unit) => (lambda (content) (list (lower-file path #o644 content))))
           (else '()))
     (map (lambda (target)
            (link (string-append "etc/systemd/system/" target ".wants/" name)
                  (string-append (if (systemd-unit-content unit)
                                     "/etc/systemd/system/"
                                     "/lib/systemd/system/")
                                 template)))
          (systemd-unit-wanted-by unit)))))

(define (special-file entry)
  "The symbolic link that ENTRY, (path file-like), asks for."
  (let ((target (lower-object (cadr entry))))
    (make-lowered (file (string-drop (car entry) 1) #:kind "l" #:mode #o777
                        #:contents `((target . ,(lowered-value target))))
                  (lowered-inputs target) (lowered-packages target))))

(define (locale-file name)
  (let ((lowered (lower-object (locale-directory name))))
    (make-lowered (file "usr/lib/locale" #:kind "d" #:mode #o755
                        #:contents `((source . ,(lowered-value lowered))))
                  (lowered-inputs lowered) '())))

(define (account-shell account)
  (let ((shell (user-account-shell account)))
    (if (string? shell) (make-lowered shell '() '()) (lower-object shell))))

(define (lowered-files os facts)
  "Lowered files of the image that OS and its FACTS ask for."
  (append
   (map (lambda (entry)
          (lower-file (string-append "etc/" (car entry)) (etc-mode (car entry)) (cadr entry)))
        (operating-system-files facts))
   (append-map unit-files (assq-ref facts 'units))
   (map special-file (or (assq-ref facts 'special-files) '()))
   (list (link "etc/localtime"
               (string-append "/usr/share/zoneinfo/" (operating-system-timezone os))))
   (if (built-in-locale? (operating-system-locale os))
       '()
       (list (locale-file (operating-system-locale os))))))

(define (kernel-version names)
  "The version of the kernel among the packages called NAMES."
  (let ((image (find (lambda (name)
                       (and (string-prefix? "linux-image-" name)
                            (string-match? "^linux-image-[0-9]" name)))
                     names)))
    (if image
        (string-drop image (string-length "linux-image-"))
        (error "the operating system's kernel brings no package linux-image-VERSION"))))

(define (store-inputs lowered)
  (delete-duplicates (append-map lowered-inputs lowered) eq?))

(define (initrd-derivation root version modules)
  (let ((busybox (unpacked-package (list "busybox-static" #f #f))))
    (derivation "initrd.img" "initrd"
                `((tree . ,(derivation-path root))
                  (kernel_version . ,version)
                  (modules . ,(list->vector modules))
                  (busybox . ,(derivation-path busybox)))
                (list root busybox)
                "make the initrd")))

(define (requirements os)
  "Paths that the finished tree has to have, and what their lack means."
  (vector
   `((path . ,(string-append "usr/share/zoneinfo/" (operating-system-timezone os)))
     (message . ,(string-append "there is no time zone " (operating-system-timezone os)))
     (hint . "the names are those below /usr/share/zoneinfo, such as Europe/Berlin"))))

(define (system-image image)
  "The derivation of the file that IMAGE is."
  (let* ((facts-of (lambda (os) (operating-system-facts os)))
         (declared (image-operating-system image))
         (facts (facts-of declared))
         (accounts (assq-ref facts 'accounts))
         (users (filter user-account? accounts))
         (shells (map account-shell users))
         (probe (lowered-files declared facts))
         (packages (delete-duplicates
                    (append (assq-ref facts 'packages)
                            (append-map lowered-packages (append probe shells)))
                    eq?)))
    (call-with-values (lambda () (debian-root (package-requests packages)))
      (lambda (root names)
        (let* ((key (string-append (derivation-path root) " "
                                   (operating-system-host-name declared)))
               (image (with-partitions image (partition-uuids image key)))
               (os (operating-system-for-image image))
               (facts (facts-of os))
               (files (lowered-files os facts))
               (version (kernel-version names))
               (initrd (initrd-derivation root version (operating-system-initrd-modules os)))
               (boot (boot-files os image version (derivation-path initrd)))
               (tree (derivation
                      "system" "system-tree"
                      `((root . ,(derivation-path root))
                        (files . ,(list->vector (map lowered-value (append files boot))))
                        (accounts
                         . ((users . ,(list->vector
                                       (map (lambda (user shell)
                                              (account->json user (lowered-value shell)))
                                            users shells)))
                            (groups . ,(list->vector
                                        (map group->json (filter user-group? accounts))))))
                        (closure . ,(list->vector
                                     (map path-of (closure-inputs files))))
                        (require . ,(requirements os)))
                      (append (list root initrd) (store-inputs files))
                      "put the system's files together")))
          (disk-image image tree))))))

(define (with-partitions base partitions)
  (image (inherit base) (partitions partitions)))

(define (path-of input)
  (if (derivation? input) (derivation-path input) input))

(define (closure-inputs files)
  "The store items that texts among FILES refer to by path, and links lead to."
  (delete-duplicates
   (append-map (lambda (lowered)
                 (if (assq 'source (lowered-value lowered)) '() (lowered-inputs lowered)))
               files)
   eq?))

(define (boot-files os image version initrd)
  "The lowered files of /boot."
  (let* ((config (operating-system-bootloader os))
         (root (find-root-partition image))
         (arguments (append (operating-system-kernel-arguments os (partition-uuid root))
                            (if (image-volatile-root? image) '("kiln.volatile=1") '())))
         (entry (list (operating-system-label os)
                      (string-append "/boot/vmlinuz-" version)
                      (string-append "/boot/initrd.img-" version)
                      arguments))
         (others (map (lambda (entry)
                        (list (menu-entry-label entry) (menu-entry-linux entry)
                              (menu-entry-initrd entry) (menu-entry-linux-arguments entry)))
                      (bootloader-configuration-menu-entries config)))
         (text (grub-configuration (cons entry others)
                                   (uuid-string (partition-uuid root))
                                   (bootloader-configuration-default-entry config)
                                   (bootloader-configuration-timeout config)
                                   (serial-menu? config)
                                   (bootloader-configuration-serial-unit config)
                                   (bootloader-configuration-serial-speed config))))
    (list
     (make-lowered (file "boot/grub/grub.cfg" #:contents `((text . ,text))) '() '())
     (make-lowered (file (string-append "boot/initrd.img-" version)
                         #:contents `((source . ,initrd)))
                   '() '()))))

(define (serial-menu? config)
  (and (memq 'serial (bootloader-configuration-terminal-outputs config)) #t))

(define (partition->json part tree)
  `((file_system . ,(partition-file-system part))
    (tree . ,(if (root-partition? part) (derivation-path tree) 'null))
    (size . ,(if (eq? (partition-size part) 'guess) 'null (partition-size part)))
    (offset . ,(if (zero? (partition-offset part)) 'null (partition-offset part)))
    (alignment . ,(partition-alignment part))
    (label . ,(or (partition-label part) 'null))
    (name . ,(or (partition-name part) (partition-label part) 'null))
    (uuid . ,(uuid-string (partition-uuid part)))
    (partition_uuid . ,(uuid-string (partition-partition-uuid part)))
    (type . ,(let ((type (partition-type part)))
               (cond ((not type) 'null) ((uuid? type) (uuid-string type)) (else type))))
    (flags . ,(list->vector (map symbol->string (partition-flags part))))))

(define (disk-image image tree)
  "The derivation of the raw disk with the partitions of IMAGE, its root filled with TREE."
  (unless (eq? (image-format image) 'disk-image)
    (error "this image format cannot be built yet:" (image-format image)))
  (unless (eq? (image-partition-table-type image) 'mbr)
    (error "this partition table cannot be built yet:" (image-partition-table-type image)))
  (let* ((root (find-root-partition image))
         (grub (grub-derivation (uuid-string (partition-uuid root))
                                (operating-system-bootloader (image-operating-system image)))))
    (derivation
     (string-append (image-file-name image) ".img") "disk-image"
     `((table . ,(symbol->string (image-partition-table-type image)))
       (size . ,(if (eq? (image-size image) 'guess) 'null (image-size image)))
       (disk_uuid . ,(uuid-string (declaration-uuid (uuid-string (partition-uuid root)) "disk")))
       (partitions . ,(list->vector (map (lambda (part) (partition->json part tree))
                                         (image-partitions image))))
       (boot . ((grub_bios . ,(derivation-path grub)))))
     (list tree grub)
     "write the disk image")))

(define (image-file-name image)
  (let ((name (image-name image)))
    (cond ((symbol? name) (symbol->string name))
          ((string? name) name)
          (else "disk"))))

(define (grub-derivation root-uuid config)
  "The derivation of GRUB's boot code for BIOS machines, which looks for its root by ROOT-UUID."
  (let ((native (native-derivation
                 (map (lambda (name) (list name #f #f)) '("grub-common" "grub-pc-bin")))))
    (derivation "grub-bios" "grub-bios"
                `((native . ,(derivation-path native))
                  (modules . null)
                  (prefix . "/boot/grub")
                  (early . ,(grub-early-configuration
                             root-uuid (serial-menu? config)
                             (bootloader-configuration-serial-unit config)
                             (bootloader-configuration-serial-speed config))))
                (list native)
                "make GRUB's boot code")))
