;;; File systems that the running system mounts.
(define-module (gnu system file-systems)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:use-module (guix records)
  #:use-module (gnu system checks)
  #:use-module (gnu system uuid)
  #:re-export (uuid uuid?)
  #:export (file-system file-system? file-system-device file-system-mount-point
            file-system-type file-system-flags file-system-options file-system-mount?
            file-system-needed-for-boot? file-system-check? file-system-create-mount-point?
            file-system-dependencies file-system-location
            file-system-label file-system-label? file-system-label->string
            swap-space swap-space? swap-space-target swap-space-priority swap-space-discard?
            %base-file-systems %pseudo-file-system-types %shared-memory-file-system
            %pseudo-terminal-file-system %debug-file-system %efivars-file-system
            pseudo-file-system? file-systems->fstab swap-devices->fstab device->spec))

(define-record-type <file-system-label>
  (make-file-system-label text)
  file-system-label?
  (text file-system-label->string))

(define (file-system-label text)
  "The file system whose label is TEXT, as a device."
  (make-file-system-label (ensure-string text)))

(define (device? value)
  (or (string? value) (uuid? value) (file-system-label? value)))

(define %flags '(read-only no-suid no-dev no-exec no-atime no-diratime strict-atime lazy-time
                 bind-mount shared))

(define-record-type* <file-system> file-system make-file-system file-system?
  (device file-system-device
          (sanitize (ensure device? "a device name, a uuid or a file-system-label"))
          (documentation "a device name, (uuid \"…\") or (file-system-label \"…\")"))
  (mount-point file-system-mount-point (sanitize ensure-string)
               (documentation "the directory that it is mounted on"))
  (type file-system-type (sanitize ensure-string)
        (documentation "the kind of file system, such as \"ext4\""))
  (flags file-system-flags (default '())
         (sanitize (ensure-list (lambda (flag) (memq flag %flags)) "file-system flags"))
         (documentation "mount flags: read-only, no-suid, no-dev, no-exec, no-atime, bind-mount…"))
  (options file-system-options (default #f)
           (sanitize (ensure-optional string? "a string of mount options"))
           (documentation "further mount options, as one string"))
  (mount? file-system-mount? (default #t) (sanitize ensure-boolean)
          (documentation "whether it is mounted at boot"))
  (mount-may-fail? file-system-mount-may-fail? (default #f) (sanitize ensure-boolean)
                   (documentation "whether boot goes on when it cannot be mounted"))
  (needed-for-boot? file-system-needed-for-boot? (default #f) (sanitize ensure-boolean)
                    (documentation "whether it is mounted before services start"))
  (check? file-system-check? (default #t) (sanitize ensure-boolean)
          (documentation "whether it is checked at boot"))
  (create-mount-point? file-system-create-mount-point? (default #f) (sanitize ensure-boolean)
                       (documentation "whether the image has the mount point made for it"))
  (dependencies file-system-dependencies (default '())
                (sanitize (not-yet "dependencies" '()))
                (documentation "file systems that have to be mounted before"))
  (location file-system-location (innate) (default (current-source-location))))

(define-record-type* <swap-space> swap-space make-swap-space swap-space?
  (target swap-space-target (documentation "a device, a uuid or label, or a file's name"))
  (priority swap-space-priority (default #f)
            (sanitize (ensure-optional integer? "an integer"))
            (documentation "higher is used first"))
  (discard? swap-space-discard? (default #f) (sanitize ensure-boolean)
            (documentation "whether freed pages are discarded"))
  (dependencies swap-space-dependencies (default '()) (sanitize (not-yet "dependencies" '()))))

(define (pseudo device mount-point type)
  (file-system (device device) (mount-point mount-point) (type type) (check? #f)))

;; Terminals of programs, at /dev/pts.
(define %pseudo-terminal-file-system (pseudo "devpts" "/dev/pts" "devpts"))
;; Memory that programs share, at /dev/shm.
(define %shared-memory-file-system (pseudo "tmpfs" "/dev/shm" "tmpfs"))
;; What the kernel tells those who debug it, at /sys/kernel/debug.
(define %debug-file-system (pseudo "none" "/sys/kernel/debug" "debugfs"))
;; The firmware's variables, where there is UEFI.
(define %efivars-file-system (pseudo "efivarfs" "/sys/firmware/efi/efivars" "efivarfs"))

;; The file systems of every system, to be joined with its own.
(define %base-file-systems
  (list %pseudo-terminal-file-system %debug-file-system %shared-memory-file-system
        %efivars-file-system))

;; systemd mounts these by itself, and better than fstab would.
(define %pseudo-file-system-types '("devpts" "debugfs" "efivarfs" "proc" "sysfs" "devtmpfs"))

(define (pseudo-file-system? fs)
  "Is FS mounted by the init system, or before it starts, without being told?"
  (or (string=? (file-system-type fs) "overlay")
      (and (member (file-system-type fs) %pseudo-file-system-types) #t)
      (string=? (file-system-mount-point fs) "/dev/shm")))

(define (device->spec device)
  "DEVICE as fstab(5) and the kernel's root= write it."
  (cond ((uuid? device) (string-append "UUID=" (uuid-string device)))
        ((file-system-label? device)
         (string-append "LABEL=" (file-system-label->string device)))
        (else device)))

(define (flag->option flag)
  (case flag
    ((read-only) "ro") ((no-suid) "nosuid") ((no-dev) "nodev") ((no-exec) "noexec")
    ((no-atime) "noatime") ((no-diratime) "nodiratime") ((strict-atime) "strictatime")
    ((lazy-time) "lazytime") ((bind-mount) "bind") ((shared) "shared")))

(define (escape-field text)
  "TEXT with the octal escapes of fstab(5) for what would end a field."
  (string-concatenate
   (map (lambda (character)
          (case character
            ((#\space) "\\040") ((#\tab) "\\011") ((#\newline) "\\012") ((#\\) "\\134")
            (else (string character))))
        (string->list text))))

(define (options fs root?)
  (let ((all (append (map flag->option (file-system-flags fs))
                     (if (file-system-options fs) (list (file-system-options fs)) '())
                     (if (file-system-mount? fs) '() '("noauto"))
                     (if (file-system-mount-may-fail? fs) '("nofail") '()))))
    (if (null? all) (if root? "errors=remount-ro" "defaults") (string-join all ","))))

(define (fstab-line . fields)
  (string-append (string-join (map escape-field fields) " ") "\n"))

(define (file-systems->fstab file-systems)
  "The lines of /etc/fstab for FILE-SYSTEMS, the root first and then outer mount points first."
  (string-concatenate
   (map (lambda (fs)
          (let ((root? (string=? (file-system-mount-point fs) "/")))
            (fstab-line (device->spec (file-system-device fs))
                        (file-system-mount-point fs)
                        (if (memq 'bind-mount (file-system-flags fs)) "none" (file-system-type fs))
                        (options fs (and root? (string-prefix? "ext" (file-system-type fs))))
                        "0"
                        (cond ((not (file-system-check? fs)) "0") (root? "1") (else "2")))))
        (sort (remove pseudo-file-system? file-systems)
              (lambda (one other)
                (string<? (file-system-mount-point one) (file-system-mount-point other)))))))

(define (swap-devices->fstab devices)
  "The lines of /etc/fstab for the swap spaces DEVICES."
  (string-concatenate
   (map (lambda (swap)
          (let ((options (append (if (swap-space-priority swap)
                                     (list (string-append
                                            "pri=" (number->string (swap-space-priority swap))))
                                     '())
                                 (if (swap-space-discard? swap) '("discard") '()))))
            (fstab-line (device->spec (swap-space-target swap)) "none" "swap"
                        (if (null? options) "sw" (string-join options ",")) "0" "0")))
        devices)))
