;;; Services that every system has.
(define-module (gnu services base)
  #:use-module (srfi srfi-1)
  #:use-module (guix records)
  #:use-module (guix gexp)
  #:use-module (gnu packages)
  #:use-module (gnu services)
  #:use-module (gnu system checks)
  #:export (%base-services
            agetty-service-type agetty-configuration agetty-configuration?
            mingetty-service-type mingetty-configuration mingetty-configuration?
            udev-service-type
            sysctl-service-type sysctl-configuration sysctl-configuration?
            sysctl-configuration-settings %default-sysctl-settings
            hosts-service-type host host? timesyncd-service-type
            extra-special-file special-files-service-type))

;;; Login prompts.

(define-record-type* <agetty-configuration> agetty-configuration make-agetty-configuration
  agetty-configuration?
  (tty agetty-configuration-tty (sanitize ensure-string)
       (documentation "the serial line, such as \"ttyS0\""))
  (term agetty-term (default "vt220") (sanitize ensure-string)
        (documentation "the terminal's type"))
  (baud-rate agetty-baud-rate (default #f) (sanitize (ensure-optional string? "a string"))
             (documentation "its speed, such as \"115200\"; #f keeps what the kernel set"))
  (auto-login agetty-auto-login (default #f) (sanitize (ensure-optional string? "a user's name"))
              (documentation "the user who is logged in without being asked, or #f")))

(define-record-type* <mingetty-configuration> mingetty-configuration make-mingetty-configuration
  mingetty-configuration?
  (tty mingetty-configuration-tty (sanitize ensure-string)
       (documentation "the virtual terminal, such as \"tty1\""))
  (auto-login mingetty-auto-login (default #f)
              (sanitize (ensure-optional string? "a user's name"))
              (documentation "the user who is logged in without being asked, or #f")))

(define (getty-drop-in command)
  "The unit settings that make a getty run COMMAND."
  (string-append "[Service]\nExecStart=\nExecStart=-" command "\n"))

(define (getty-units template tty)
  "The unit of TEMPLATE that asks for a login on TTY."
  (list (systemd-unit (name (string-append template "@" tty ".service"))
                      (content #f)
                      (wanted-by '("getty.target")))))

(define (getty-etc template tty command)
  "The files of /etc that change how the getty on TTY runs, if COMMAND says how."
  (if command
      (let ((directory (string-append "systemd/system/" template "@" tty ".service.d")))
        (list (list (string-append directory "/kiln.conf")
                    (plain-file "kiln.conf" (getty-drop-in command)))))
      '()))

(define (login-option user) (if user (string-append "--autologin " user " ") ""))

(define (agetty-command config)
  (string-append "/sbin/agetty -o '-p -- \\\\u' --keep-baud "
                 (login-option (agetty-auto-login config))
                 (or (agetty-baud-rate config) "115200,57600,38400,9600")
                 " - " (agetty-term config)))

(define (mingetty-command config)
  (and (mingetty-auto-login config)
       (string-append "/sbin/agetty -o '-p -- \\\\u' --noclear "
                      (login-option (mingetty-auto-login config)) "- $TERM")))

(define agetty-service-type
  (service-type
   (name 'agetty)
   (extensions
    (list (service-extension systemd-service-type
            (lambda (config)
              (getty-units "serial-getty" (agetty-configuration-tty config))))
          (service-extension etc-service-type
            (lambda (config)
              (getty-etc "serial-getty" (agetty-configuration-tty config)
                         (agetty-command config))))))
   (description "a login prompt on a serial line")))

(define mingetty-service-type
  (service-type
   (name 'mingetty)
   (extensions
    (list (service-extension systemd-service-type
            (lambda (config) (getty-units "getty" (mingetty-configuration-tty config))))
          (service-extension etc-service-type
            (lambda (config)
              (getty-etc "getty" (mingetty-configuration-tty config)
                         (mingetty-command config))))))
   (description "a login prompt on a virtual terminal")))

;;; Devices, kernel settings, names, time.

;; Its value is a list of Debian packages whose udev rules the system needs.
(define udev-service-type
  (service-type
   (name 'udev)
   (extensions
    (list (service-extension profile-service-type
            (lambda (packages) (cons (specification->package "udev") packages)))))
   (compose concatenate)
   (extend append)
   (default-value '())
   (description "devices as they come and go")))

(define-record-type* <sysctl-configuration> sysctl-configuration make-sysctl-configuration
  sysctl-configuration?
  (settings sysctl-configuration-settings (default '())
            (sanitize (ensure-list pair? "(\"name\" . \"value\") pairs"))
            (documentation "an association list of names and values")))

;; What Guix's services set: links and files of others in directories that all can write to.
(define %default-sysctl-settings
  '(("fs.protected_hardlinks" . "1")
    ("fs.protected_symlinks" . "1")))

(define sysctl-service-type
  (service-type
   (name 'sysctl)
   (extensions
    (list (service-extension etc-service-type
            (lambda (config)
              (if (null? (sysctl-configuration-settings config))
                  '()
                  (list (list "sysctl.d/50-kiln.conf"
                              (plain-file "50-kiln.conf"
                                          (string-concatenate
                                           (map (lambda (setting)
                                                  (string-append (car setting) " = "
                                                                 (cdr setting) "\n"))
                                                (sysctl-configuration-settings config)))))))))))
   (compose concatenate)
   (extend (lambda (config settings)
             (sysctl-configuration
              (settings (append (sysctl-configuration-settings config) settings)))))
   (default-value (sysctl-configuration))
   (description "settings of the kernel")))

(define-record-type* <host> %host make-host host?
  (address host-address (sanitize ensure-string))
  (canonical-name host-canonical-name (sanitize ensure-string))
  (aliases host-aliases (default '()) (sanitize (ensure-list string? "names"))))

(define* (host address name #:optional (aliases '()))
  "A line of /etc/hosts: ADDRESS is called NAME and ALIASES."
  (%host (address address) (canonical-name name) (aliases aliases)))

(define (host->line host)
  (string-append (host-address host) "\t"
                 (string-join (cons (host-canonical-name host) (host-aliases host)) " ") "\n"))

(define hosts-service-type
  (service-type
   (name 'hosts)
   (extensions
    (list (service-extension etc-service-type
            (lambda (hosts)
              (list (list "hosts"
                          (plain-file "hosts"
                                      (string-concatenate (map host->line hosts)))))))))
   (compose concatenate)
   (extend append)
   (default-value '())
   (description "names of hosts, in /etc/hosts")))

(define timesyncd-service-type
  (service-type
   (name 'timesyncd)
   (extensions
    (list (service-extension profile-service-type
            (const (list (specification->package "systemd-timesyncd"))))))
   (default-value #f)
   (description "the clock, kept right over the network")))

(define special-files-service-type
  (service-type
   (name 'special-files)
   (extensions (list (service-extension system-service-type
                                        (lambda (files) (list (cons 'special-files files))))))
   (compose concatenate)
   (extend append)
   (default-value '())
   (description "symbolic links outside of /etc: a list of (path file-like) lists")))

(define (extra-special-file path target)
  "A service that makes PATH a symbolic link to TARGET."
  (simple-service 'special-file special-files-service-type (list (list path target))))

;; What nearly every system wants: consoles on the screen and the serial line, udev, sysctl.
(define %base-services
  (list (service mingetty-service-type (mingetty-configuration (tty "tty1")))
        (service agetty-service-type (agetty-configuration (tty "ttyS0")))
        (service udev-service-type)
        (service sysctl-service-type)))
