;;; The platforms there are, by name.
(define-module (guix platforms)
  #:use-module (srfi srfi-1)
  #:use-module (guix platform)
  #:use-module (guix platforms x86)
  #:use-module (guix platforms arm)
  #:export (%platforms lookup-platform-by-system lookup-platform-by-target))

;; All platforms that can be named.
(define %platforms (list x86_64-linux i686-linux aarch64-linux armv7-linux))

(define (lookup-platform-by-system system)
  "The platform whose system is called SYSTEM, such as \"x86_64-linux\"; #f if there is none."
  (find (lambda (one) (string=? (platform-system one) system)) %platforms))

(define (lookup-platform-by-target target)
  "The platform with the GNU triplet TARGET; #f if there is none."
  (find (lambda (one) (string=? (platform-target one) target)) %platforms))
