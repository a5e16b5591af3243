;;; What is known of a system before it is put together, and putting it together: an operating
;;; system's packages configured, its kernel and initrd, its files; and then its tree.

(define-module (gnu system blueprint)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-35)
  #:use-module (ice-9 regex)
  #:use-module (guix records)
  #:use-module (guix gexp)
  #:use-module (guix store)
  #:use-module (gnu debian)
  #:use-module (gnu packages)
  #:use-module (gnu services)
  #:use-module (gnu system)
  #:use-module (gnu system accounts)
  #:use-module (gnu system locale)
  #:export (blueprint blueprint? blueprint-root blueprint-kernel-version blueprint-initrd
            blueprint-key blueprint-kernel-file
            operating-system-blueprint system-tree
            tree-file tree-link))

(define-record-type* <blueprint> blueprint make-blueprint blueprint?
  (root blueprint-root)
  (kernel-version blueprint-kernel-version)
  (initrd blueprint-initrd)
  (key blueprint-key))

(define* (operating-system-blueprint os #:key (bootable? #t) (modules '()))
  "What OS rests on; without kernel and initrd unless it is BOOTABLE?, as in a container. The initrd
loads MODULES, too."
  (let* ((facts (operating-system-facts os))
         (mentioned (append-map lowered-packages
                                (append (lowered-files os facts)
                                        (map account-shell (users-of facts)))))
         (wanted (delete-duplicates (append (assq-ref facts 'packages) mentioned) eq?))
         (packages (if bootable? wanted (delete (operating-system-kernel os) wanted eq?))))
    (call-with-values (lambda () (debian-root (map package-request packages)))
      (lambda (root names)
        (let ((version (and bootable? (kernel-version os names))))
          (blueprint
           (root root)
           (kernel-version version)
           (initrd (and version
                        (initrd-derivation
                         root version
                         (delete-duplicates
                          (append modules (operating-system-initrd-modules os))))))
           (key (string-append (derivation-path root) " " (operating-system-host-name os)))))))))

(define (blueprint-kernel-file blueprint)
  "The path of the kernel in the store."
  (string-append (derivation-path (blueprint-root blueprint)) "/boot/vmlinuz-"
                 (blueprint-kernel-version blueprint)))

(define (kernel-version os names)
  "The version of OS's kernel, which is among the packages called NAMES."
  (let* ((found (filter (lambda (name) (string-match "^linux-image-[0-9]" name)) names))
         (named (package-name (operating-system-kernel os)))
         (best (or (and (member named found) named)
                   (find (lambda (name)
                           (string-suffix? (string-drop named (string-length "linux-image"))
                                           name))
                         found)
                   (and (pair? found) (car found)))))
    (if best
        (string-drop best (string-length "linux-image-"))
        (raise (condition
                (&error)
                (&message (message (string-append "the kernel package " named
                                                  " brings no package linux-image-VERSION")))
                (&error-location (location (package-location (operating-system-kernel os)))))))))

(define (initrd-derivation root version modules)
  (let ((busybox (unpacked-package-named "busybox-static")))
    (derivation "initrd.img" "initrd"
                `((tree . ,(derivation-path root))
                  (kernel_version . ,version)
                  (modules . ,(list->vector modules))
                  (busybox . ,(derivation-path busybox)))
                (list root busybox)
                "make the initrd")))

;;; Files of the tree, as the builder "system-tree" takes them.

(define* (tree-file path contents #:key (mode #o644) (kind "f") (inputs '()) (packages '()))
  "A <lowered> of the file PATH; CONTENTS is an association list that says what is in it."
  (make-lowered `((path . ,path) (kind . ,kind) (mode . ,mode) ,@contents) inputs packages))

(define (tree-link path target)
  "A <lowered> of the symbolic link PATH to TARGET."
  (tree-file path `((target . ,target)) #:kind "l" #:mode #o777))

(define (lower-file path mode object)
  "A <lowered> of the file PATH, whose content is the file-like OBJECT."
  (let* ((text (lower-text object))
         (lowered (or text (lower-object object))))
    (tree-file path `((,(if text 'text 'source) . ,(lowered-value lowered)))
               #:mode mode
               #:inputs (lowered-inputs lowered)
               #:packages (lowered-packages lowered))))

(define (etc-mode name)
  (if (or (string=? name "sudoers") (string-prefix? "sudoers.d/" name)) #o440 #o644))

(define (unit-template name)
  "The name of the file that the unit NAME is an instance of: getty@.service of getty@tty1.service."
  (let ((at (string-index name #\@)))
    (if at
        (string-append (substring name 0 (+ at 1)) (substring name (string-rindex name #\.)))
        name)))

(define (unit-files unit)
  "The files that UNIT is, and those that start it."
  (let* ((name (systemd-unit-name unit))
         (path (string-append "etc/systemd/system/" name))
         (content (systemd-unit-content unit)))
    (append
     (cond ((systemd-unit-masked? unit) (list (tree-link path "/dev/null")))
           (content (list (lower-file path #o644 content)))
           (else '()))
     (map (lambda (target)
            (tree-link (string-append "etc/systemd/system/" target ".wants/" name)
                       (string-append (if content "/etc/systemd/system/" "/lib/systemd/system/")
                                      (unit-template name))))
          (systemd-unit-wanted-by unit)))))

(define (special-file entry)
  "The symbolic link that ENTRY, (path file-like), asks for."
  (let ((target (lower-object (cadr entry))))
    (tree-file (string-drop (car entry) 1) `((target . ,(lowered-value target)))
               #:kind "l" #:mode #o777
               #:inputs (lowered-inputs target)
               #:packages (lowered-packages target))))

(define (locale-file name)
  (let ((lowered (lower-object (locale-directory name))))
    (tree-file "usr/lib/locale" `((source . ,(lowered-value lowered)))
               #:kind "d" #:mode #o755 #:inputs (lowered-inputs lowered))))

(define (users-of facts) (filter user-account? (assq-ref facts 'accounts)))

(define (account-shell account)
  (let ((shell (user-account-shell account)))
    (if (string? shell) (make-lowered shell '() '()) (lower-object shell))))

(define (lowered-files os facts)
  "Lowered files of the tree that OS and its FACTS ask for."
  (append
   (map (lambda (entry)
          (lower-file (string-append "etc/" (car entry)) (etc-mode (car entry)) (cadr entry)))
        (operating-system-files facts))
   (append-map unit-files (assq-ref facts 'units))
   (map special-file (or (assq-ref facts 'special-files) '()))
   (list (tree-link "etc/localtime"
                    (string-append "/usr/share/zoneinfo/" (operating-system-timezone os))))
   (if (built-in-locale? (operating-system-locale os))
       '()
       (list (locale-file (operating-system-locale os))))))

(define (requirements os)
  "Paths that the finished tree has to have, and what their lack means."
  (vector
   `((path . ,(string-append "usr/share/zoneinfo/" (operating-system-timezone os)))
     (message . ,(string-append "there is no time zone " (operating-system-timezone os)))
     (hint . "the names are those below /usr/share/zoneinfo, such as Europe/Berlin"))))

(define (closure-inputs files)
  "The store items that texts among FILES refer to by path, and that links lead to."
  (delete-duplicates
   (append-map (lambda (lowered)
                 (if (assq 'source (lowered-value lowered)) '() (lowered-inputs lowered)))
               files)
   eq?))

(define (path-of input)
  (if (derivation? input) (derivation-path input) input))

(define* (system-tree blueprint os #:optional (more '()))
  "The derivation of the tree of OS, which rests on BLUEPRINT; MORE are lowered files."
  (let* ((facts (operating-system-facts os))
         (root (blueprint-root blueprint))
         (files (append (lowered-files os facts) more))
         (users (users-of facts))
         (groups (filter user-group? (assq-ref facts 'accounts)))
         (shells (map account-shell users))
         (inputs (delete-duplicates (append-map lowered-inputs (append files shells)) eq?)))
    (derivation
     "system" "system-tree"
     `((root . ,(derivation-path root))
       (files . ,(list->vector (map lowered-value files)))
       (accounts
        . ((users . ,(list->vector
                      (map (lambda (user shell) (account->json user (lowered-value shell)))
                           users shells)))
           (groups . ,(list->vector (map group->json groups)))))
       (closure . ,(list->vector (map path-of (closure-inputs files))))
       (require . ,(requirements os)))
     (cons root inputs)
     "put the system's files together")))
