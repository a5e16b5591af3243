;;; Machines with x86 processors. Kiln makes images for x86_64-linux.
(define-module (guix platforms x86)
  #:use-module (guix platform)
  #:export (x86_64-linux i686-linux))

;; The usual PC and server: the machine that Kiln makes images for.
(define x86_64-linux
  (platform
   (target "x86_64-linux-gnu")
   (system "x86_64-linux")
   (linux-architecture "x86")
   (glibc-dynamic-linker "/lib64/ld-linux-x86-64.so.2")))

;; PCs of 32 bits.
(define i686-linux
  (platform
   (target "i686-linux-gnu")
   (system "i686-linux")
   (linux-architecture "x86")
   (glibc-dynamic-linker "/lib/ld-linux.so.2")))
