;;; Debian packages as objects.

(define-module (gnu packages)
  #:use-module (srfi srfi-1)
  #:use-module (guix records)
  #:use-module (guix gexp)
  #:use-module (gnu debian)
  #:use-module (gnu system checks)
  #:export (package package? package-name package-version package-location
            specification->package specifications->packages
            package-request native-package native-packages-named unpacked-package-named))

(define-record-type* <package> package make-package package?
  (name package-name (sanitize (ensure string? "a Debian package's name, a string"))
        (documentation "the name of the Debian package"))
  (version package-version (default #f)
           (documentation "the version that it has to be, or #f for the newest"))
  (location package-location (innate) (default (current-source-location))))

(define (parse-specification spec location)
  "The package that SPEC, \"name\" or \"name@version\", means."
  (unless (string? spec)
    (error "specification->package: a package is named by a string, not by" spec))
  (let* ((at (string-index spec #\@))
         (name (if at (substring spec 0 at) spec))
         (version (and at (substring spec (+ at 1)))))
    (package (name name) (version version) (location location))))

;; The Debian package that "name" or "name@version" means.
(define-syntax specification->package
  (lambda (form)
    (syntax-case form ()
      ((_ spec) #'(parse-specification spec (current-source-location)))
      (name (identifier? #'name)
            #'(let ((location (current-source-location)))
                (lambda (spec) (parse-specification spec location)))))))

;; The Debian packages that a list of "name" or "name@version" means.
(define-syntax specifications->packages
  (lambda (form)
    (syntax-case form ()
      ((_ specs)
       #'(let ((location (current-source-location)))
           (map (lambda (spec) (parse-specification spec location)) specs)))
      (name (identifier? #'name)
            #'(let ((location (current-source-location)))
                (lambda (specs)
                  (map (lambda (spec) (parse-specification spec location)) specs)))))))

(define (native-package . packages)
  "The derivation of a store item that holds PACKAGES and all that they depend on, for builds to
run programs from."
  (native-derivation (map package-request packages)))

(define (package-request package)
  "PACKAGE as the resolver wants it."
  (list (package-name package) (package-version package) (package-location package)))

(define (name-request name)
  "The package called NAME, as the resolver wants it, for what the user has not asked for by name."
  (list name #f #f))

(define (native-packages-named . names)
  "The derivation of a store item with the packages called NAMES and what they need."
  (native-derivation (map name-request names)))

(define (unpacked-package-named name)
  "The derivation of the unpacked package called NAME, without what it needs."
  (unpacked-package (name-request name)))

(define-compiler! package?
  (lambda (package native?)
    (if native?
        (let ((derivation (native-package package)))
          (make-lowered (string-append (lowered-value (lower-object derivation)) "/usr")
                        (list derivation)
                        '()))
        (make-lowered "/usr" '() (list package)))))
