;;; What partitions are filled with: the system, boot loaders, and what code of the user's makes.

(define-module (gnu system contents)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:use-module (guix records)
  #:use-module (guix gexp)
  #:use-module (guix store)
  #:use-module (gnu image)
  #:use-module (gnu partitions)
  #:use-module (gnu system checks)
  #:use-module (gnu system partitions)
  #:use-module (gnu system uuid)
  #:export (partition-content partition->json make-partition-image))

(define (partition-content part tree make-esp)
  "What PART is filled with: a pair of what the builder is told and the inputs of that. TREE is of
the system, and MAKE-ESP gives that of an EFI system partition."
  (let ((initializer (partition-initializer part)))
    (case (if initializer (standard-initializer initializer) (standard-content part))
      ((root) (tree-content tree))
      ((efi) (tree-content (make-esp)))
      ((none) (cons '((tree . null)) '()))
      (else (initializer-content part initializer tree make-esp)))))

(define (standard-content part)
  (cond ((root-partition? part) 'root) ((esp-partition? part) 'efi) (else 'none)))

(define (mentions? tree name)
  (if (pair? tree)
      (or (mentions? (car tree) name) (mentions? (cdr tree) name))
      (eq? tree name)))

(define (tree-content tree)
  (cons `((tree . ,(derivation-path tree))) (list tree)))

;; The file in a build's output that says what modes, owners and devices its files have.
(define %attributes ".kiln-attributes")

(define (initializer-content part initializer tree make-esp)
  "What INITIALIZER, a file-like object or a gexp of a procedure that fills a directory, gives."
  (let* ((code (and (gexp? initializer) (gexp-skeleton initializer)))
         (system (and (mentions? code 'initialize-root-partition) tree))
         (efi (and (mentions? code 'initialize-efi-partition) (make-esp)))
         (blob? (string=? (partition-file-system part) "unformatted"))
         (lowered (lower-object
                   (if code
                       (gexp->derivation "partition"
                         (with-imported-modules '((guix build utils) (gnu build image))
                           #~(fill-partition #$output #$initializer
                                             #:system #$system #:efi #$efi
                                             #:blob? #$blob?))
                         #:location (gexp-location initializer)
                         #:attributes (and (not blob?) %attributes))
                       initializer)
                   ;; of a package, its files, not where they are in the system
                   #:native? #t))
         (source (lowered-value lowered)))
    (if blob?
        (cons `((tree . null) (content . ,source)) (lowered-inputs lowered))
        (tree-content
         (derivation "partition-tree" "directory-tree"
                     `((source . ,source)
                       (below . ,(if (or system efi)
                                     (vector ".kiln-system" ".kiln-efi")
                                     (vector)))
                       ,@(if code `((attributes . ,%attributes)) '())
                       ,@(if (fat? part) '((ownerless . "a FAT file system")) '()))
                     (append (filter identity (list system efi)) (lowered-inputs lowered))
                     "look through a partition's files"
                     (list (and (partition-location part)
                                (field-location (partition-location part) 'initializer))))))))

(define (size-or-null part)
  (if (eq? (partition-size part) 'guess) 'null (partition-size part)))

;; UUID, the one of PART's file system, where it has any.
(define (uuid-or-null part uuid)
  (if (iso9660? part) 'null (uuid-string uuid)))

(define (partition->json part content options)
  "PART, filled with CONTENT, as the builder of disks takes it. OPTIONS are more of those that its
file system has."
  `((file_system . ,(partition-file-system part))
    ,@(car content)
    (size . ,(size-or-null part))
    (offset . ,(if (zero? (partition-offset part)) 'null (partition-offset part)))
    (alignment . ,(partition-alignment part))
    (label . ,(or (partition-label part) 'null))
    (name . ,(or (partition-name part) (partition-label part) 'null))
    (uuid . ,(uuid-or-null part (partition-uuid part)))
    ,@(if (null? options) '() `((options . ,options)))
    (partition_uuid . ,(uuid-string (partition-partition-uuid part)))
    (type . ,(let ((type (partition-type part)))
               (cond ((not type) 'null) ((uuid? type) (uuid-string type)) (else type))))
    (mkfs . ,(list->vector (partition-file-system-options part)))
    (flags . ,(list->vector (map symbol->string (partition-flags part))))))

;;; One partition alone.

(define-record-type <partition-image>
  (%make-partition-image partition)
  partition-image?
  (partition partition-image-partition))

(define (make-partition-image partition)
  "A file-like object: the file system of PARTITION alone, as its initializer fills it. It can be
built, or be the content of an unformatted partition. PARTITION is no part of an image: its
initializer cannot ask for the system's files."
  (let ((initializer (partition-initializer partition)))
    (when (and initializer (standard-initializer initializer))
      (fail-at-field (partition-location partition) 'initializer
                     "the files of a system are in images only"
                     "give an initializer that fills the partition with files of its own"))
    (when (string=? (partition-file-system partition) "unformatted")
      (fail-at-field (partition-location partition) 'file-system
                     "an unformatted partition is its content, and needs no image" #f))
    (%make-partition-image partition)))

(define-compiler! partition-image?
  (lambda (object native?)
    (let* ((part (partition-image-partition object))
           (content (partition-content part #f (const #f)))
           (inputs (cdr content))
           (own (or (partition-uuid part)
                    (apply declaration-uuid "partition" (map derivation-path inputs)))))
      (lower-object
       (derivation (string-append (or (find store-name?
                                            (list (partition-name part) (partition-label part)))
                                      "partition")
                                  ".img")
                   "file-system"
                   `((file_system . ,(partition-file-system part))
                     ,@(car content)
                     (mkfs . ,(list->vector (partition-file-system-options part)))
                     (options . ((size . ,(size-or-null part))
                                 (label . ,(or (partition-label part) 'null))
                                 (uuid . ,(uuid-or-null part own)))))
                   inputs
                   "write the file system"
                   (list (partition-location part)))))))
