;;; Kernels and what belongs to them.
(define-module (gnu packages linux)
  #:use-module (gnu packages)
  #:export (linux linux-libre linux-cloud linux-rt e2fsprogs iproute kmod util-linux procps))

(define linux
  (package (name "linux-image-amd64")))

;; The name that Guix files use; what Debian's main archive has is free software, too.
(define linux-libre linux)

;; For virtual machines: virtio, NVMe, IDE, Xen and Hyper-V, and a quarter of the size.
(define linux-cloud
  (package (name "linux-image-cloud-amd64")))

(define linux-rt
  (package (name "linux-image-rt-amd64")))

(define e2fsprogs (package (name "e2fsprogs")))
(define iproute (package (name "iproute2")))
(define kmod (package (name "kmod")))
(define util-linux (package (name "util-linux")))
(define procps (package (name "procps")))
