;;; The operating system: what a user declares, and what its services come to.
(define-module (gnu system)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-35)
  #:use-module (guix records)
  #:use-module (guix gexp)
  #:use-module (gnu packages)
  #:use-module (gnu packages base)
  #:use-module (gnu packages linux)
  #:use-module (gnu bootloader)
  #:use-module (gnu services)
  #:use-module (gnu services base)
  #:use-module (gnu system accounts)
  #:use-module (gnu system checks)
  #:use-module (gnu system file-systems)
  #:use-module (gnu system keyboard)
  #:use-module (gnu system locale)
  #:use-module (gnu system shadow)
  #:export (operating-system operating-system? this-operating-system
            operating-system-kernel
            operating-system-user-kernel-arguments operating-system-initrd-modules
            operating-system-bootloader operating-system-label operating-system-keyboard-layout
            operating-system-host-name operating-system-hosts-file operating-system-file-systems
            operating-system-swap-devices operating-system-users operating-system-groups
            operating-system-issue operating-system-packages operating-system-timezone
            operating-system-locale operating-system-user-services operating-system-services
            operating-system-sudoers-file operating-system-root-file-system
            operating-system-essential-services operating-system-location
            operating-system-files operating-system-facts
            %base-packages %base-initrd-modules %default-kernel-arguments
            %sudoers-specification))

;; What the boot of a Debian system rests on.
(define %essential-packages
  (specifications->packages
   '("systemd-sysv" "udev" "dbus" "libpam-systemd" "kmod" "login" "passwd" "util-linux" "e2fsprogs"
     "tzdata" "base-files" "mount" "usr-is-merged")))

;; What a person expects on any system, to be joined with the own list.
(define %base-packages
  (specifications->packages
   '("apt" "bash-completion" "ca-certificates" "iproute2" "iputils-ping" "less" "nano" "procps"
     "psmisc" "sudo" "wget")))

;; The initrd has what disks need by itself; these are added.
(define %base-initrd-modules '())

;; What the kernel is told where the declaration says nothing.
(define %default-kernel-arguments '("quiet"))

(define %sudoers-specification
  (plain-file "sudoers" "Defaults env_reset
Defaults secure_path=\"/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\"
root ALL=(ALL:ALL) ALL
%wheel ALL=(ALL:ALL) ALL
"))

(define (host-name? value)
  "Is VALUE a host name as RFC 1123, section 2.1, has it?"
  (and (string? value)
       (< 0 (string-length value) 65)
       (every (lambda (label)
                (and (not (string-null? label))
                     (string-every (lambda (c) (or (char<=? #\a c #\z) (char<=? #\A c #\Z)
                                                   (char<=? #\0 c #\9) (char=? c #\-)))
                                   label)
                     (not (string-prefix? "-" label))
                     (not (string-suffix? "-" label))))
              (string-split value #\.))))

(define-record-type* <operating-system> operating-system make-operating-system operating-system?
  this-operating-system
  (kernel operating-system-kernel (default linux)
          (sanitize (ensure package? "a package of a kernel, such as linux or linux-cloud"))
          (documentation "the package of the kernel"))
  (kernel-arguments operating-system-user-kernel-arguments (default %default-kernel-arguments)
                    (sanitize ensure-kernel-arguments)
                    (documentation "arguments for the kernel's command line"))
  (bootloader operating-system-bootloader
              (sanitize (ensure bootloader-configuration? "a bootloader-configuration"))
              (documentation "which boot loader, and how it behaves"))
  (label operating-system-label (thunked)
         (default (string-append "Debian GNU/Linux, " (operating-system-host-name
                                                       this-operating-system)))
         (sanitize ensure-line)
         (documentation "the text of the boot menu's entry"))
  (keyboard-layout operating-system-keyboard-layout (default #f)
                   (sanitize (ensure-optional keyboard-layout? "a keyboard-layout"))
                   (documentation "the layout of the console's keyboard; #f is that of the US"))
  (initrd-modules operating-system-initrd-modules (thunked) (default %base-initrd-modules)
                  (sanitize (ensure-list string? "names of kernel modules"))
                  (documentation "kernel modules that the initrd must have and load"))
  (firmware operating-system-firmware (default '())
            (sanitize (ensure-list package? "packages"))
            (documentation "packages with firmware"))
  (host-name operating-system-host-name
             (sanitize (ensure host-name? "a host name: letters, digits and hyphens"))
             (documentation "the machine's name"))
  (hosts-file operating-system-hosts-file (default #f)
              (sanitize (ensure-optional file-like? "a file-like object"))
              (documentation "the file for /etc/hosts; #f for one with the machine's own name"))
  (mapped-devices operating-system-mapped-devices (default '())
                  (sanitize (not-yet "mapped-devices" '())))
  (file-systems operating-system-file-systems
                (sanitize (ensure-list file-system? "file-system objects"))
                (documentation "what is mounted"))
  (swap-devices operating-system-swap-devices (default '())
                (sanitize (ensure-list swap-space? "swap-space objects"))
                (documentation "where memory is swapped to"))
  (users operating-system-users (default %base-user-accounts)
         (sanitize (ensure-list user-account? "user-account objects"))
         (documentation "user accounts"))
  (groups operating-system-groups (default %base-groups)
          (sanitize (ensure-list user-group? "user-group objects"))
          (documentation "groups"))
  (skeletons operating-system-skeletons (default '())
             (sanitize (ensure-list pair? "(name file-like) lists"))
             (documentation "files that a new home directory has, beside Debian's"))
  (issue operating-system-issue (default "Debian GNU/Linux, made by Kiln: \\n \\l\n\n")
         (sanitize ensure-string)
         (documentation "what is shown above the login prompt"))
  (packages operating-system-packages (thunked) (default %base-packages)
            (sanitize (ensure-list package? "packages, as (specification->package \"…\") gives"))
            (documentation "Debian packages that are installed"))
  (timezone operating-system-timezone (sanitize ensure-string)
            (documentation "the time zone, such as \"Europe/Berlin\""))
  (locale operating-system-locale (default "en_US.utf8") (sanitize ensure-string)
          (documentation "the language and its conventions, such as \"en_US.utf8\""))
  (services operating-system-user-services (thunked) (default %base-services)
            (sanitize (ensure-list service? "services, as (service TYPE) gives"))
            (documentation "services"))
  (essential-services operating-system-essential-services (thunked)
                      (default (essential-services this-operating-system))
                      (documentation "services that no system can do without"))
  (pam-services operating-system-pam-services (default #f)
                (sanitize (not-yet "pam-services" #f)))
  (sudoers-file operating-system-sudoers-file (default %sudoers-specification)
                (sanitize (ensure file-like? "a file-like object"))
                (documentation "the file for /etc/sudoers"))
  (location operating-system-location (innate) (default (current-source-location))))

(define (operating-system-root-file-system os)
  "The file system that OS has on /."
  (or (find (lambda (fs) (string=? (file-system-mount-point fs) "/"))
            (operating-system-file-systems os))
      (raise (condition (&error)
                        (&message (message "the operating system has no file system on /"))
                        (&error-location (location (operating-system-location os)))
                        (&fix-hint (hint "add (file-system (mount-point \"/\") …) to file-systems"))))))

;;; Files of /etc that follow from the fields.

(define (text name . parts) (plain-file name (string-concatenate parts)))

(define (hosts-text host-name)
  (string-append "127.0.0.1\tlocalhost\n127.0.1.1\t" host-name
                 "\n::1\tlocalhost ip6-localhost ip6-loopback\n"))

(define (etc-files os)
  (let ((layout (operating-system-keyboard-layout os)))
    `(("hostname" ,(text "hostname" (operating-system-host-name os) "\n"))
      ("hosts" ,(or (operating-system-hosts-file os)
                    (text "hosts" (hosts-text (operating-system-host-name os)))))
      ("timezone" ,(text "timezone" (operating-system-timezone os) "\n"))
      ("default/locale" ,(text "locale" "LANG=" (locale-variable (operating-system-locale os))
                               "\n"))
      ("issue" ,(text "issue" (operating-system-issue os)))
      ("fstab" ,(text "fstab" "# Made by Kiln from the operating system's file-systems.\n"
                      (file-systems->fstab (operating-system-file-systems os))
                      (swap-devices->fstab (operating-system-swap-devices os))))
      ("sudoers" ,(operating-system-sudoers-file os))
      ,@(map (lambda (entry) (list (string-append "skel/" (car entry)) (cadr entry)))
             (operating-system-skeletons os))
      ,@(if layout `(("default/keyboard" ,(text "keyboard" (keyboard-layout->text layout)))) '()))))

(define (essential-services os)
  "The services that OS has whatever its user says."
  (list (service system-service-type)
        (service profile-service-type
                 (append %essential-packages
                         (operating-system-packages os)
                         (operating-system-firmware os)
                         (list (operating-system-kernel os))
                         (if (operating-system-keyboard-layout os)
                             (specifications->packages '("console-setup" "kbd"))
                             '())))
        (service etc-service-type (etc-files os))
        (service account-service-type
                 (append (operating-system-groups os) (operating-system-users os)))
        (service systemd-service-type)
        (service kernel-arguments-service-type (operating-system-user-kernel-arguments os))))

(define (operating-system-services os)
  "All services of OS."
  (instantiate-missing-services
   (append (operating-system-user-services os) (operating-system-essential-services os))))

(define (operating-system-facts os)
  "What the services of OS come to: an association list of etc, packages, accounts, units…"
  (fold-services (operating-system-services os)))

(define (operating-system-files facts)
  "The files in /etc of FACTS, later ones over earlier ones of the same name."
  (let loop ((entries (reverse (assq-ref facts 'etc))) (seen '()) (files '()))
    (cond ((null? entries) files)
          ((member (car (car entries)) seen) (loop (cdr entries) seen files))
          (else (loop (cdr entries)
                      (cons (car (car entries)) seen)
                      (cons (car entries) files))))))
