;;; Kinds of machines.
(define-module (guix platform)
  #:use-module (guix records)
  #:use-module (gnu system checks)
  #:export (platform platform? platform-target platform-system platform-linux-architecture
            platform-glibc-dynamic-linker))

(define-record-type* <platform> platform make-platform platform?
  (target platform-target (sanitize (ensure-optional string? "a string"))
          (documentation "the GNU triplet, such as \"x86_64-linux-gnu\""))
  (system platform-system (sanitize (ensure-optional string? "a string"))
          (documentation "the system as Guix names it, such as \"x86_64-linux\""))
  (linux-architecture platform-linux-architecture (default #f)
                      (sanitize (ensure-optional string? "a string"))
                      (documentation "the architecture as Linux names it, such as \"x86\""))
  (glibc-dynamic-linker platform-glibc-dynamic-linker (default #f)
                        (sanitize (ensure-optional string? "a string"))
                        (documentation "the file that starts programs of it")))
