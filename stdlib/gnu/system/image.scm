;;; Images of operating systems: the types there are, and from an image to its derivation.

(define-module (gnu system image)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-35)
  #:use-module (guix records)
  #:use-module (guix gexp)
  #:use-module (guix store)
  #:use-module (gnu bootloader)
  #:use-module (gnu image)
  #:use-module (gnu packages)
  #:use-module (gnu services)
  #:use-module (gnu system)
  #:use-module (gnu system blueprint)
  #:use-module (gnu system contents)
  #:use-module (gnu system file-systems)
  #:use-module (gnu system growth)
  #:use-module (gnu system loaders)
  #:use-module (gnu system partitions)
  #:use-module (gnu system subvolumes)
  #:use-module (gnu system uuid)
  #:re-export (make-partition-image)
  #:export (root-partition esp-partition bios-boot-partition root-offset root-label
            mbr-disk-image efi-disk-image mbr-hybrid-disk-image iso9660-image docker-image
            raw-with-offset-disk-image
            mbr-raw-image-type efi-raw-image-type mbr-hybrid-raw-image-type
            raw-with-offset-image-type qcow2-image-type uncompressed-qcow2-image-type
            vmdk-image-type vhd-image-type vhdx-image-type
            iso-image-type uncompressed-iso-image-type
            docker-image-type oci-image-type tarball-image-type wsl2-image-type
            squashfs-image-type erofs-image-type cpio-image-type uki-image-type
            %image-types lookup-image-type-by-name
            os->image os+platform->image image-with-os image-with-label image-without-os
            operating-system-for-image declaration->derivation system-image image->derivation))

;;; Partitions and images that others are made from.

;; What declarations know the root file system by.
(define root-label "kiln-root")

;; The partition of the root file system.
(define root-partition
  (partition
   (size 'guess)
   (label root-label)
   (file-system "ext4")
   (flags '(boot))
   (location #f)))

;; The partition that UEFI starts from.
(define esp-partition
  (partition
   (size 'guess)
   (label "ESP")
   ;; what the UEFI specification, 13.3, wants on disks that are not removable
   (file-system "fat32")
   (flags '(esp))
   (location #f)))

;; Where GRUB's core is on a disk with a GPT, for a BIOS.
(define bios-boot-partition
  (partition
   (size (expt 2 20))
   (name "bios-boot")
   (file-system "unformatted")
   (type (uuid "21686148-6449-6e6f-744e-656564454649"))
   (location #f)))

;; Room for a boot loader of a board, before the first partition.
(define root-offset (* 9 (expt 2 20)))

;; A disk with an MBR and a root.
(define mbr-disk-image
  (image
   (format 'disk-image)
   (partition-table-type 'mbr)
   (volatile-root? #f)
   (partitions (list root-partition))
   (location #f)))

;; A disk with a GPT, an ESP and a root.
(define efi-disk-image
  (image
   (inherit mbr-disk-image)
   (partition-table-type 'gpt)
   (partitions (list esp-partition root-partition))
   (location #f)))

;; A disk that both a BIOS and UEFI start from.
(define mbr-hybrid-disk-image
  (image
   (inherit mbr-disk-image)
   (partition-table-type 'hybrid)
   (partitions (list bios-boot-partition esp-partition root-partition))
   (location #f)))

(define* (raw-with-offset-disk-image #:optional (offset root-offset))
  "A disk with an MBR whose root begins OFFSET bytes from its start."
  (image
   (inherit mbr-disk-image)
   (partitions (list (partition (inherit root-partition) (offset offset) (location #f))))
   (location #f)))

;; A live system on a CD or a USB stick.
(define iso9660-image
  (image
   (format 'iso9660)
   (volatile-root? #t)
   (partitions (list (partition (inherit root-partition) (label "KILN_IMAGE") (location #f))))
   (location #f)))

;; The root for containers, without a kernel.
(define docker-image (image (format 'docker) (volatile-root? #f) (location #f)))

;;; Types.

(define-syntax-rule (define-image-type variable type-name text base)
  (define variable
    (image-type
     (name 'type-name)
     (constructor (lambda (os) (image-with-os base os)))
     (description text))))

(define (of-format new base) (image (inherit base) (format new) (location #f)))

(define-image-type mbr-raw-image-type mbr-raw
  "a raw disk with an MBR, for a BIOS" mbr-disk-image)
(define-image-type efi-raw-image-type efi-raw
  "a raw disk with a GPT, for UEFI" efi-disk-image)
(define-image-type mbr-hybrid-raw-image-type mbr-hybrid-raw
  "a raw disk with a GPT and an MBR, for a BIOS and UEFI" mbr-hybrid-disk-image)
(define-image-type raw-with-offset-image-type raw-with-offset
  "a raw disk whose root begins at 9 MiB" (raw-with-offset-disk-image))
(define-image-type qcow2-image-type qcow2
  "a compressed disk for QEMU, for a BIOS" (of-format 'compressed-qcow2 mbr-disk-image))
(define-image-type uncompressed-qcow2-image-type uncompressed-qcow2
  "a disk for QEMU, for a BIOS"
  (image (inherit (of-format 'compressed-qcow2 mbr-disk-image)) (compression? #f) (location #f)))
(define-image-type vmdk-image-type vmdk
  "a compressed disk for VMware, for a BIOS" (of-format 'vmdk mbr-disk-image))
(define-image-type vhd-image-type vhd
  "a disk of fixed size for Hyper-V and Azure, for a BIOS" (of-format 'vhd mbr-disk-image))
(define-image-type vhdx-image-type vhdx
  "a disk that grows for Hyper-V, for a BIOS and UEFI" (of-format 'vhdx mbr-hybrid-disk-image))
(define-image-type iso-image-type iso9660
  "a live system for CD and USB, BIOS and UEFI" iso9660-image)
(define-image-type uncompressed-iso-image-type uncompressed-iso9660
  "the same with an uncompressed root" (image (inherit iso9660-image) (compression? #f) (location #f)))
(define-image-type docker-image-type docker
  "an archive for docker load" docker-image)
(define-image-type oci-image-type oci
  "a directory in the OCI image layout" (of-format 'oci docker-image))
(define-image-type tarball-image-type tarball
  "a compressed tar archive of the root" (of-format 'tarball docker-image))
(define-image-type wsl2-image-type wsl2
  "a tar archive for wsl --import" (of-format 'wsl2 docker-image))
(define-image-type squashfs-image-type squashfs
  "the root as a compressed read-only file system" (of-format 'squashfs docker-image))
(define-image-type erofs-image-type erofs
  "the root as a read-only file system that is compressed for speed" (of-format 'erofs docker-image))
(define-image-type cpio-image-type cpio
  "the root as an archive that a kernel unpacks" (of-format 'cpio docker-image))
(define-image-type uki-image-type uki
  "kernel and root as one program for UEFI" (of-format 'uki docker-image))

;; All types of images; kiln image -t NAME chooses one.
(define %image-types
  (list mbr-raw-image-type efi-raw-image-type mbr-hybrid-raw-image-type
        raw-with-offset-image-type qcow2-image-type uncompressed-qcow2-image-type
        vmdk-image-type vhd-image-type vhdx-image-type
        iso-image-type uncompressed-iso-image-type
        docker-image-type oci-image-type tarball-image-type wsl2-image-type
        squashfs-image-type erofs-image-type cpio-image-type uki-image-type))

(define (fail message hint location)
  (raise (apply make-compound-condition
                (condition (&error))
                (condition (&message (message message)))
                (append (if hint (list (condition (&fix-hint (hint hint)))) '())
                        (if location
                            (list (condition (&error-location (location location))))
                            '())))))

(define (lookup-image-type-by-name name)
  "The image type called NAME, a symbol."
  (or (find (lambda (type) (eq? (image-type-name type) name)) %image-types)
      (fail (string-append "there is no image type " (symbol->string name))
            (string-append "the types are: "
                           (string-join (map (lambda (type)
                                               (symbol->string (image-type-name type)))
                                             %image-types)
                                        ", "))
            #f)))

;;; From operating systems to images.

(define (image-with-os base os)
  "BASE with the operating system OS in it."
  (image (inherit base)
         (operating-system os)
         (location (or (image-location base) (operating-system-location os)))))

(define-syntax image-without-os
  (syntax-rules ()
    "An image with these fields and no operating system: what image-with-os completes, or others
inherit from."
    ((_ field ...)
     (image field ... (operating-system #f)))))

(define (image-with-label base label)
  "BASE with LABEL on its root partition."
  (image (inherit base)
         (partitions (map (lambda (part)
                            (if (root-partition? part)
                                (partition (inherit part)
                                           (label label)
                                           (location (partition-location part)))
                                part))
                          (image-partitions base)))
         (location (image-location base))))

(define (image-with-root-type base os)
  "BASE, of an image type, with a btrfs where OS declares that its root is one."
  (if (and (disk-image? base)
           (string=? (file-system-type (operating-system-root-file-system os)) "btrfs"))
      (image (inherit base)
             (partitions (map (lambda (part)
                                (if (root-partition? part)
                                    (partition (inherit part)
                                               (file-system "btrfs")
                                               (location (partition-location part)))
                                    part))
                              (image-partitions base)))
             (location (image-location base)))
      base))

(define* (os->image os #:key (type mbr-raw-image-type))
  "An image of OS, of TYPE."
  (let ((made ((image-type-constructor type) os)))
    (unless (image? made)
      (fail-at-field (image-type-location type) 'constructor
                     (string-append "the constructor of the image type "
                                    (symbol->string (image-type-name type)) " gives no image")
                     "its value is an image with the operating system: (image-with-os IMAGE os)"))
    made))

(define* (os+platform->image os platform #:key (type mbr-raw-image-type))
  "An image of OS for PLATFORM, of TYPE."
  (let ((base (os->image os #:type type)))
    (image (inherit base) (platform platform) (location (image-location base)))))

;; What a declaration on the command line ends in, and the options there, come to.
(define* (declaration->derivation value #:key (type mbr-raw-image-type) (size #f) (label #f)
                                  (volatile? #f) (compression #f))
  "The derivation of the image that VALUE, an operating-system or an image, and the options ask for."
  (parameterize ((current-options (append (if size '((size . "--image-size")) '())
                                          (if label '((label . "--label")) '()))))
    (let ((image (declaration->image value type size label volatile? compression)))
      (parameterize ((resized-image (and size image)))
        (image->derivation image)))))

;; The image whose size the command line says: its root fills it.
(define resized-image (make-parameter #f))

(define (declaration->image value type size label volatile? compression)
  (let* ((base (cond ((image? value) value)
                     ((operating-system? value)
                      (os->image value #:type type))
                     (else
                      (error (string-append "a declaration ends in an operating-system or an image;"
                                            " this one ends in")
                             value))))
         (typed (if (operating-system? value) (image-with-root-type base value) base))
         (labelled (if label (image-with-label typed label) typed)))
    (when (and label (not (any root-partition? (image-partitions base))))
      (fail "a label is for the root partition, and this type of image has none"
            "leave --label out, or choose a disk or an ISO" #f))
    (when (and volatile? (or (container? base) (memq (image-format base) '(squashfs erofs))))
      (fail "only what boots can forget at power-off what was written"
            "leave --volatile out: who runs a container, or mounts it, says what is kept" #f))
    (image (inherit labelled)
           (size (or size (image-size base)))
           (compression (or compression (image-compression base)))
           (volatile-root? (or volatile? (image-volatile-root? base)))
           (location (image-location base)))))

;;; Lowering.

(define (partitions-with-uuids image key)
  "The partitions of IMAGE, each with UUIDs: its own, or ones that follow from KEY, a text that
names what is in the image, and from the partition's place."
  (let loop ((rest (image-partitions image)) (number 1) (done '()))
    (if (null? rest)
        (reverse done)
        (let ((part (car rest))
              (derived (lambda (what) (declaration-uuid key what (number->string number)))))
          (loop (cdr rest)
                (+ number 1)
                (cons (partition
                       (inherit part)
                       (uuid (or (partition-uuid part) (derived "file system")))
                       (partition-uuid (or (partition-partition-uuid part)
                                           (derived "partition")))
                       (location (partition-location part)))
                      done))))))

;; Services by which a system sets up a network of its own.
(define %network-services
  '(dhcp-client static-networking network-manager connman wpa-supplicant))

(define (fitted-system image)
  "The operating system of IMAGE with the services that follow from the image, and without those
that it must not have."
  (let ((os (image-operating-system image)))
    (cond ((disk-image? image) (growing-system os image))
          ((image-shared-network? image)
           (operating-system
             (inherit os)
             (services (remove (lambda (service)
                                 (memq (service-type-name (service-kind service))
                                       %network-services))
                               (operating-system-user-services os)))
             (location (operating-system-location os))))
          (else os))))

(define (operating-system-for-image image)
  "The operating system of IMAGE with its root where the image has it."
  (let ((os (fitted-system image)))
    (if (disk-image? image)
        (let* ((root (find-root-partition image))
               (device (root-device root os)))
          (if (image-volatile-root? image)
              (with-root (with-devices os root device) "overlay" "overlay")
              (with-root (with-devices os root device) device (partition-file-system root))))
        (with-root os "overlay" "overlay"))))

(define (root-device root os)
  "What the partition ROOT is found by: its UUID; before it is given one, its label; else what OS
says."
  (cond ((partition-uuid root) => identity)
        ((partition-label root) => file-system-label)
        (else (file-system-device (operating-system-root-file-system os)))))

(define (with-devices os root device)
  "OS with the subvolumes that it mounts from the partition ROOT on DEVICE, which this is."
  (if (string=? (partition-file-system root) "btrfs")
      (operating-system
        (inherit os)
        (file-systems
         (map (lambda (fs)
                (if (and (file-system-subvolume fs)
                         (not (string=? (file-system-mount-point fs) "/"))
                         (on-root-partition? fs os root))
                    (file-system (inherit fs) (device device))
                    fs))
              (operating-system-file-systems os))))
      os))

(define (with-root os device type)
  "OS with the root file system on DEVICE, of TYPE."
  (let ((declared (operating-system-root-file-system os)))
    (operating-system
      (inherit os)
      (file-systems
       (cons (file-system (inherit declared) (device device) (type type))
             (delete declared (operating-system-file-systems os) eq?)))
      (location (operating-system-location os)))))

(define (system-image image)
  "The file that IMAGE is: a file-like object, as every image with an operating system is one."
  (unless (image-operating-system image)
    (fail-at-field (image-location image) 'operating-system
                   "the image has no operating system" "(image-with-os IMAGE OS) gives it one"))
  image)

(define-compiler! image?
  (lambda (image native?) (lower-object (image->derivation image))))

(define (image->derivation declared)
  "The derivation of the file that the image DECLARED is."
  (let ((image (system-image declared)))
    (check-image image)
    (case (image-format image)
      ((disk-image compressed-qcow2 vmdk vhd vhdx) (disk-image image))
      ((iso9660) (iso-image image))
      ((docker oci tarball wsl2) (archive-image image))
      ((squashfs) (squashfs-image image))
      ((erofs) (erofs-image image))
      ((cpio) (cpio-image image))
      ((uki) (uki-image image)))))

(define* (image-file-name image extension #:optional (default "disk"))
  "The name of the file that IMAGE is, which says how the whole of it is compressed: DEFAULT if
IMAGE has none."
  (let ((name (image-name image)))
    (string-append (cond ((symbol? name) (symbol->string name))
                         ((string? name) name)
                         (else default))
                   extension
                   (if (compressed-inside? image)
                       ""
                       (case (image-compression image)
                         ((gzip) ".gz") ((zstd) ".zst") ((xz) ".xz") (else ""))))))

(define (compressed-inside? image)
  "Is what IMAGE's compression is of not the whole file, but what is in it?"
  (or (memq (image-format image) '(iso9660 squashfs cpio uki))
      (and (eq? (image-format image) 'compressed-qcow2) (eq? (image-compression image) 'zstd))))

(define (symbol-or-null value)
  (if value (symbol->string value) 'null))

;;; Disks.

(define (disk-format image)
  (case (image-format image) ((compressed-qcow2) "qcow2") ((vmdk) "vmdk") ((vhd) "vhd")
        ((vhdx) "vhdx")
        (else "raw")))

(define (disk-compression image)
  "How the disk is compressed: as the image says, else as its format has it."
  (cond ((image-compression image) => symbol->string)
        ((and (eq? (image-format image) 'compressed-qcow2) (image-compression? image)) "zstd")
        (else 'null)))

(define (disk-image declared)
  "The derivation of the disk with the partitions of the image DECLARED."
  (check-loader (image-operating-system declared))
  (let* ((os (fitted-system declared))
         (type (partition-file-system (find-root-partition declared)))
         (subvolume (root-subvolume os (find-root-partition declared)))
         (blueprint (operating-system-blueprint
                     os #:modules (if (string=? type "btrfs") '("btrfs") '())))
         (image (image (inherit declared)
                       (partitions (partitions-with-uuids declared (blueprint-key blueprint)))))
         (root (find-root-partition image))
         (root-uuid (uuid-string (partition-uuid root)))
         (arguments (append
                     (system-kernel-arguments os (partition-uuid root) type
                                              #:subvolume
                                              (or subvolume (and (string=? type "btrfs") "/")))
                     (if (image-volatile-root? image) '("kiln.volatile=1") '())))
         (tree (system-tree blueprint (operating-system-for-image image)
                            (boot-files os blueprint arguments #:subvolume subvolume)))
         (make-esp (lambda ()
                     (esp-tree os blueprint arguments
                               #:root-uuid root-uuid #:subvolume subvolume #:tree tree)))
         (contents (map (lambda (part) (partition-content part tree make-esp))
                        (image-partitions image)))
         (bios (and (bios-bootable? image)
                    (grub-bios os root-uuid #:type type #:subvolume subvolume))))
    (check-bootable declared bios)
    (derivation
     (image-file-name image (case (image-format image)
                              ((compressed-qcow2) ".qcow2") ((vmdk) ".vmdk") ((vhd) ".vhd")
                              ((vhdx) ".vhdx")
                              (else ".img")))
     "disk-image"
     `((format . ,(disk-format image))
       (compression . ,(disk-compression image))
       (table . ,(symbol->string (image-partition-table-type image)))
       (size . ,(if (eq? (image-size image) 'guess) 'null (image-size image)))
       (disk_uuid . ,(uuid-string (declaration-uuid root-uuid "disk")))
       (partitions
        . ,(list->vector
            (map (lambda (part content)
                   (append (if (and (eq? declared (resized-image)) (root-partition? part))
                               '((fills . #t))
                               '())
                           (partition->json part content (partition-options part os))))
                 (image-partitions image)
                 contents)))
       (boot . ((grub_bios . ,(if bios (derivation-path bios) 'null)))))
     (delete-duplicates
      (append (if bios (list bios) '()) (append-map cdr contents))
      eq?)
     "write the disk image"
     (cons (image-location declared)
           (map (lambda (part) (or (partition-location part) (image-location declared)))
                (image-partitions declared))))))

(define (bios-bootable? image)
  "Has IMAGE a place for GRUB's core, and is GRUB what its system starts with?"
  (and (eq? (loader-name (image-operating-system image)) 'grub)
       (or (eq? (image-partition-table-type image) 'mbr)
           (any (lambda (part)
                  (and (uuid? (partition-type part))
                       (string=? (uuid-string (partition-type part))
                                 (uuid-string (partition-type bios-boot-partition)))))
                (image-partitions image)))
       #t))

(define (check-bootable image bios)
  (unless (or bios (any esp-partition? (image-partitions image)))
    (when (eq? (loader-name (image-operating-system image)) 'grub)
      (fail-at-field (image-location image) '(partitions partition-table-type)
                     "nothing would start this image: a GPT needs a partition for GRUB"
                     "put esp-partition, for UEFI, or bios-boot-partition first into partitions"))
    (fail "nothing would start this image: it has no EFI system partition, and its boot loader is
not for a BIOS"
          "choose an image type such as efi-raw, or grub-bootloader"
          (bootloader-configuration-location
           (operating-system-bootloader (image-operating-system image))))))

(define (partition-options part os)
  "What the builder of PART's file system is told beside label and UUID."
  (if (and (root-partition? part) (string=? (partition-file-system part) "btrfs"))
      `((subvolumes . ,(root-subvolumes os part)))
      '()))

;;; Live media.

(define* (squashfs tree compression #:optional (name "root.squashfs"))
  "The derivation of TREE as a squashfs called NAME."
  (let ((tools (native-packages-named "squashfs-tools")))
    (derivation name "squashfs"
                `((tree . ,(derivation-path tree))
                  (native . ,(derivation-path tools))
                  (compression . ,compression)
                  (level . null)
                  (block_size . null))
                (list tree tools)
                "compress the root")))

(define (squashfs-compression image)
  (cond ((image-compression image) => symbol->string)
        ((image-compression? image) "zstd")
        (else "none")))

(define (iso-image image)
  "The derivation of an ISO whose root is a squashfs under an overlay."
  (let* ((os (image-operating-system image))
         (blueprint (operating-system-blueprint os))
         (label (partition-label (find-root-partition image)))
         (arguments (append (system-kernel-arguments os (file-system-label label) #f)
                            '("kiln.image=/live/root.squashfs" "kiln.volatile=1")))
         (root (squashfs (system-tree blueprint (operating-system-for-image image))
                         (squashfs-compression image)))
         (menu (grub-menu os "/boot/vmlinuz" "/boot/initrd.img" arguments))
         (extras (menu-files os))
         (esp (esp-tree (with-grub os) blueprint arguments #:root-label label))
         (bios (grub-iso os label)))
    (derivation
     (image-file-name image ".iso") "iso9660"
     `((label . ,label)
       (disk_uuid . ,(uuid-string (declaration-uuid (blueprint-key blueprint) "disk")))
       (tree . null)
       (files . ,(list->vector
                  (cons*
                   `((path . "boot/vmlinuz") (source . ,(blueprint-kernel-file blueprint)))
                   `((path . "boot/initrd.img")
                     (source . ,(derivation-path (blueprint-initrd blueprint))))
                   `((path . "boot/grub/grub.cfg") (text . ,menu))
                   `((path . "live/root.squashfs") (source . ,(derivation-path root)))
                   (map (lambda (file)
                          (let ((described (lowered-value file)))
                            `((path . ,(assq-ref described 'path))
                              (source . ,(assq-ref described 'source)))))
                        extras))))
       (bios . ,(derivation-path bios))
       (esp . ,(derivation-path esp)))
     (delete-duplicates
      (append (list (blueprint-root blueprint) (blueprint-initrd blueprint) root bios esp)
              (append-map lowered-inputs extras))
      eq?)
     "write the ISO")))

(define (with-grub os)
  "OS with GRUB for its boot loader: what ISOs start with."
  (let ((config (operating-system-bootloader os)))
    (operating-system
      (inherit os)
      (bootloader (bootloader-configuration
                   (inherit config)
                   (bootloader (bootloader (name 'grub)))
                   (location (bootloader-configuration-location config))))
      (location (operating-system-location os)))))

;;; Roots without a disk.

(define* (container-tree image #:key (bootable? #f) (more '()))
  "The blueprint of the system of IMAGE, and the derivation of its tree with the files MORE."
  (let* ((os (fitted-system image))
         (blueprint (operating-system-blueprint os #:bootable? bootable?)))
    (values blueprint (system-tree blueprint (operating-system-for-image image) more))))

(define (archive-format image)
  (case (image-format image) ((tarball) "tar") (else (symbol->string (image-format image)))))

(define (archive-image declared)
  "The derivation of the tree of the image DECLARED as an archive or a container."
  (call-with-values (lambda () (container-tree declared))
    (lambda (blueprint tree)
      (let* ((format (image-format declared))
             (compression (or (image-compression declared)
                              (and (image-compression? declared)
                                   (memq format '(tarball wsl2 oci))
                                   'gzip)))
             ;; of a directory, the layers are compressed
             (whole (image (inherit declared)
                           (compression (and (not (eq? format 'oci)) compression)))))
        (derivation
         (image-file-name whole (if (eq? format 'oci) "" ".tar")) "archive-image"
         `((format . ,(archive-format declared))
           (tree . ,(derivation-path tree))
           (compression . ,(symbol-or-null compression))
           ;; names of containers have no capitals
           (name . ,(string-downcase
                     (operating-system-host-name (image-operating-system declared))))
           (tag . "latest")
           (max_layers . ,(or (image-max-layers declared) 'null)))
         (list tree)
         "write the archive")))))

(define (squashfs-image image)
  (call-with-values (lambda () (container-tree image))
    (lambda (blueprint tree)
      (squashfs tree (squashfs-compression image) (image-file-name image ".squashfs" "root")))))

(define (erofs-image image)
  (call-with-values (lambda () (container-tree image))
    (lambda (blueprint tree)
      (derivation (image-file-name image ".erofs") "file-system"
                  `((file_system . "erofs")
                    (tree . ,(derivation-path tree))
                    (options . ((uuid . ,(uuid-string (declaration-uuid (blueprint-key blueprint)
                                                                        "file system")))
                                ;; where the whole file is compressed, to do it twice is no use
                                (compression . ,(if (and (image-compression? image)
                                                         (not (image-compression image)))
                                                    "lz4"
                                                    "none"))))
                    (compression . ,(symbol-or-null (image-compression image))))
                  (list tree)
                  "write the file system"))))

(define* (cpio tree compression #:optional (name "root.cpio"))
  "The derivation of TREE as an archive called NAME that a kernel unpacks. It holds no extended
attributes: what has capabilities, like ping, is for root there, or goes by the kernel's
ping_group_range."
  (derivation name "archive-image"
              `((format . "cpio")
                (tree . ,(derivation-path tree))
                (compression . ,compression)
                (drop_xattrs . #t))
              (list tree)
              "write the archive"))

;; What a kernel starts of a root that it has unpacked itself.
(define init-link (tree-link "init" "/sbin/init"))

(define (cpio-image image)
  (call-with-values (lambda () (container-tree image #:more (list init-link)))
    (lambda (blueprint tree)
      (cpio tree (root-archive-compression image) (image-file-name image ".cpio" "root")))))

(define (root-archive-compression image)
  "How the root of IMAGE is compressed, which a kernel unpacks."
  (cond ((image-compression image) => symbol->string)
        ((image-compression? image) "zstd")
        (else 'null)))

(define (uki-image image)
  (call-with-values (lambda ()
                      (container-tree image #:bootable? #t #:more (list init-link)))
    (lambda (blueprint tree)
      (let ((os (image-operating-system image)))
        (unified-kernel os blueprint (cpio tree (root-archive-compression image))
                        (assq-ref (operating-system-facts os) 'kernel-arguments)
                        #:name (image-file-name image ".efi" "linux"))))))
