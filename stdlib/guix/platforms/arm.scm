;;; Machines with ARM processors. They can be named; Kiln makes no images for them yet.
(define-module (guix platforms arm)
  #:use-module (guix platform)
  #:export (aarch64-linux armv7-linux))

;; ARM of 64 bits.
(define aarch64-linux
  (platform
   (target "aarch64-linux-gnu")
   (system "aarch64-linux")
   (linux-architecture "arm64")
   (glibc-dynamic-linker "/lib/ld-linux-aarch64.so.1")))

;; ARM of 32 bits.
(define armv7-linux
  (platform
   (target "arm-linux-gnueabihf")
   (system "armhf-linux")
   (linux-architecture "arm")
   (glibc-dynamic-linker "/lib/ld-linux-armhf.so.3")))
