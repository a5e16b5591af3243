;;; Subvolumes of btrfs, as the mount options of an operating system's file systems name them.

(define-module (gnu system subvolumes)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-35)
  #:use-module (guix records)
  #:use-module (gnu image)
  #:use-module (gnu system)
  #:use-module (gnu system file-systems)
  #:use-module (gnu system uuid)
  #:export (file-system-subvolume root-subvolume root-subvolumes on-root-partition?))

(define (file-system-subvolume fs)
  "The path of the subvolume that FS, a file-system, is mounted from, or #f: what its options say
behind \"subvol=\"."
  (let* ((options (or (file-system-options fs) ""))
         (given (find (lambda (option) (string-prefix? "subvol=" option))
                      (string-split options #\,)))
         (path (and given
                    (string-trim-both (string-drop given (string-length "subvol=")) #\/))))
    (and path (not (string-null? path)) path)))

(define (fail fs message hint)
  (raise (condition (&error)
                    (&message (message message))
                    (&error-location (location (file-system-location fs)))
                    (&fix-hint (hint hint)))))

;; GRUB's early configuration has no way to quote others.
(define %plain (string->char-set
                "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789@._-/"))

(define (root-subvolume os part)
  "The subvolume of PART, the root partition, that OS has on /, or #f."
  (let* ((fs (operating-system-root-file-system os)) (path (file-system-subvolume fs)))
    (when path
      (unless (string=? (partition-file-system part) "btrfs")
        (fail fs
              (string-append "the root is to be in the subvolume " path ", but its partition is "
                             (partition-file-system part))
              "give the partition (file-system \"btrfs\"), or leave the option subvol out"))
      (unless (string-every %plain path)
        (fail fs
              (string-append "boot loaders cannot find a root in a subvolume called " path)
              "letters, digits and @ . _ - / can be in its name")))
    path))

(define (on-root-partition? fs os part)
  "Is FS, a file system of OS, in the partition PART that has its root?"
  (let ((spec (device->spec (file-system-device fs))))
    (or (string=? spec (device->spec (file-system-device (operating-system-root-file-system os))))
        (and (partition-uuid part)
             (string=? spec (device->spec (partition-uuid part))))
        (and (partition-label part)
             (string=? spec (string-append "LABEL=" (partition-label part)))))))

(define (root-subvolumes os part)
  "What the builder of a btrfs is told of the subvolumes that OS mounts from its root partition
PART: a vector of objects with path and holds."
  (let ((root (operating-system-root-file-system os)))
    (list->vector
     (filter-map
      (lambda (fs)
        (let ((path (file-system-subvolume fs)))
          (and path
               (or (eq? fs root) (on-root-partition? fs os part))
               `((path . ,path)
                 (holds . ,(string-trim-both (file-system-mount-point fs) #\/))))))
      (operating-system-file-systems os)))))
