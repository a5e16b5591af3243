;;; Partitions that grow with their disk: once the system has started from a disk that is larger
;;; than its image, the partition and its file system fill it.

(define-module (gnu system growth)
  #:use-module (srfi srfi-1)
  #:use-module (guix records)
  #:use-module (guix gexp)
  #:use-module (gnu image)
  #:use-module (gnu packages)
  #:use-module (gnu services)
  #:use-module (gnu system)
  #:use-module (gnu system file-systems)
  #:use-module (gnu system partitions)
  #:use-module (gnu system uuid)
  #:export (growing-system))

;; Reads a few numbers and ends, but on the first start from a larger disk. sfdisk moves the second
;; copy of a GPT to the end of the disk by itself.
(define %script "#!/bin/sh
# Usage: grow-partition MOUNT-POINT. Makes the last partition of a disk, which is mounted there, as
# large as the disk, and its file system as large as the partition.
set -eu
device=$(findmnt --noheadings --nofsroot --output SOURCE --mountpoint \"$1\")
name=${device##*/}
cd -P \"/sys/class/block/$name/..\"
disk=${PWD##*/}
read -r number <\"$name/partition\"
read -r start <\"$name/start\"
read -r length <\"$name/size\"
read -r size <size
# the table at the end of a GPT takes 33 sectors; what is less than 2 MiB is not worth it
[ $((size - start - length)) -gt 4096 ] || exit 0
echo \", +\" | sfdisk --quiet --no-reread --no-tell-kernel --force -N \"$number\" \"/dev/$disk\"
partx --update --nr \"$number\" \"/dev/$disk\"
# the MBR of a hybrid lists the partition, too, and sfdisk leaves that to others
read -r length <\"$name/size\"
[ \"$length\" -lt 4294967296 ] || length=4294967295
bytes=
for shift in 0 8 16 24; do
    bytes=$bytes\\\\$(printf %03o $((length >> shift & 255)))
done
for entry in 446 462 478 494; do
    first=$(od -A n -t u4 -j $((entry + 8)) -N 4 \"/dev/$disk\")
    [ $first -ne \"$start\" ] ||
        printf \"$bytes\" | dd of=\"/dev/$disk\" bs=1 seek=$((entry + 12)) conv=notrunc status=none
done
")

(define (unit mount-point)
  (string-append "[Unit]
Description=Grow the last partition of the disk, and its file system
DefaultDependencies=no
RequiresMountsFor=" mount-point "
After=systemd-remount-fs.service
Before=local-fs.target shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/bin/sh /etc/kiln/grow-partition " mount-point "
ExecStart=/lib/systemd/systemd-growfs " mount-point "
"))

(define grow-service-type
  (service-type
   (name 'grow-partition)
   (extensions
    (list (service-extension profile-service-type
            (const (specifications->packages '("fdisk" "util-linux"))))
          (service-extension etc-service-type
            (const (list (list "kiln/grow-partition" (plain-file "grow-partition" %script)))))
          (service-extension systemd-service-type
            (lambda (mount-point)
              (list (systemd-unit
                     (name "kiln-grow.service")
                     (content (plain-file "kiln-grow.service" (unit mount-point)))
                     (wanted-by '("local-fs.target"))))))))
   (description "a partition and a file system that grow with their disk")))

(define (mounted-on os part)
  "Where OS mounts PART, or #f."
  (let ((fs (find (lambda (fs)
                    (let ((device (file-system-device fs)))
                      (cond ((file-system-label? device)
                             (equal? (file-system-label->string device) (partition-label part)))
                            ((uuid? device)
                             (and (partition-uuid part)
                                  (string=? (uuid-string device)
                                            (uuid-string (partition-uuid part)))))
                            (else #f))))
                  (operating-system-file-systems os))))
    (and fs (file-system-mount-point fs))))

(define (growing-system os image)
  "OS with the service that lets the partition of IMAGE grow that has the flag for it, if one has."
  (let ((part (find grow-partition? (image-partitions image))))
    (if part
        (let ((mount-point (if (root-partition? part) "/" (mounted-on os part))))
          (unless mount-point
            (fail-at-field (or (partition-location part) (image-location image)) 'flags
                           "a partition can grow only where the system mounts it"
                           "give the operating system a file-system with this one's label"))
          (operating-system
            (inherit os)
            (services (cons (service grow-service-type mount-point)
                            (operating-system-user-services os)))
            (location (operating-system-location os))))
        os)))
