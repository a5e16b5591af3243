;;; Secure shell servers.
(define-module (gnu services ssh)
  #:use-module (srfi srfi-1)
  #:use-module (guix records)
  #:use-module (guix gexp)
  #:use-module (gnu packages)
  #:use-module (gnu packages ssh)
  #:use-module (gnu services)
  #:use-module (gnu system checks)
  #:export (openssh-service-type openssh-configuration openssh-configuration?))

(define-record-type* <openssh-configuration> openssh-configuration make-openssh-configuration
  openssh-configuration?
  (openssh openssh-configuration-openssh (default openssh)
           (documentation "the Debian package of the server"))
  (port-number openssh-port (default 22)
               (sanitize (ensure (lambda (v) (and (integer? v) (< 0 v 65536))) "a port's number"))
               (documentation "the TCP port that it listens on"))
  (permit-root-login openssh-permit-root-login (default #f)
                     (sanitize (ensure (lambda (v) (memq v '(#t #f prohibit-password)))
                                       "#t, #f or 'prohibit-password"))
                     (documentation "whether root may log in: #t, #f or 'prohibit-password"))
  (password-authentication? openssh-password-authentication? (default #t)
                            (sanitize ensure-boolean)
                            (documentation "whether a password is enough to log in"))
  (public-key-authentication? openssh-public-key-authentication? (default #t)
                              (sanitize ensure-boolean)
                              (documentation "whether a key is enough to log in"))
  (allow-empty-passwords? openssh-allow-empty-passwords? (default #f) (sanitize ensure-boolean)
                          (documentation "whether users without a password may log in"))
  (x11-forwarding? openssh-x11-forwarding? (default #f) (sanitize ensure-boolean)
                   (documentation "whether graphical programs may be shown at the client's"))
  (allow-agent-forwarding? openssh-allow-agent-forwarding? (default #t) (sanitize ensure-boolean)
                           (documentation "whether the client's key agent may be used"))
  (allow-tcp-forwarding? openssh-allow-tcp-forwarding? (default #t) (sanitize ensure-boolean)
                         (documentation "whether connections may be forwarded"))
  (accepted-environment openssh-accepted-environment (default '("LANG" "LC_*"))
                        (sanitize (ensure-list string? "names of variables"))
                        (documentation "environment variables that the client may set"))
  (authorized-keys openssh-authorized-keys (default '())
                   (sanitize (ensure-list pair? "(\"user\" file-like …) lists"))
                   (documentation "users and the files with their public keys"))
  (extra-content openssh-extra-content (default "") (sanitize ensure-string)
                 (documentation "further lines of sshd_config"))
  (log-level openssh-log-level (default 'info)
             (sanitize (one-of '(quiet fatal error info verbose debug)))
             (documentation "how much is logged: quiet, fatal, error, info, verbose, debug")))

(define (yes-or-no value) (if value "yes" "no"))

(define (sshd-config config)
  (apply mixed-text-file "sshd_config"
         (append
          (list "# Made by Kiln from the openssh-configuration of the operating system.\n"
                "Port " (number->string (openssh-port config)) "\n"
                "PermitRootLogin " (case (openssh-permit-root-login config)
                                     ((#t) "yes") ((#f) "no") (else "prohibit-password")) "\n"
                "PasswordAuthentication " (yes-or-no (openssh-password-authentication? config))
                "\n"
                "PubkeyAuthentication " (yes-or-no (openssh-public-key-authentication? config))
                "\n"
                "PermitEmptyPasswords " (yes-or-no (openssh-allow-empty-passwords? config)) "\n"
                "KbdInteractiveAuthentication no\n"
                "X11Forwarding " (yes-or-no (openssh-x11-forwarding? config)) "\n"
                "AllowAgentForwarding " (yes-or-no (openssh-allow-agent-forwarding? config)) "\n"
                "AllowTcpForwarding " (yes-or-no (openssh-allow-tcp-forwarding? config)) "\n"
                "AuthorizedKeysFile .ssh/authorized_keys /etc/ssh/authorized_keys.d/%u\n"
                "LogLevel " (string-upcase (symbol->string (openssh-log-level config))) "\n"
                "UsePAM yes\n"
                "PrintMotd no\n"
                "Subsystem sftp /usr/lib/openssh/sftp-server\n")
          (map (lambda (variable) (string-append "AcceptEnv " variable "\n"))
               (openssh-accepted-environment config))
          (list (openssh-extra-content config) "\n"))))

(define (keys-entry entry)
  "The file of /etc with the keys of the user that ENTRY names."
  (let ((user (car entry)) (files (cdr entry)))
    (list (string-append "ssh/authorized_keys.d/" user)
          (if (and (pair? files) (null? (cdr files)))
              (car files)
              (computed-file (string-append "authorized-keys-" user)
                #~(call-with-output-file #$output
                    (lambda (port)
                      (for-each (lambda (file)
                                  (display (call-with-input-file file get-string-all) port)
                                  (newline port))
                                (list #$@files)))))))))

;; Keys are secrets of one machine: they are made when it first starts, not with the image.
(define host-key-unit
  (systemd-unit
   (name "kiln-ssh-host-keys.service")
   (content (plain-file "kiln-ssh-host-keys.service"
                        "[Unit]
Description=OpenSSH host keys of this machine
Before=ssh.service
ConditionPathExists=!/etc/ssh/ssh_host_ed25519_key

[Service]
Type=oneshot
ExecStart=/usr/bin/ssh-keygen -A
RemainAfterExit=yes

[Install]
WantedBy=multi-user.target
"))
   (wanted-by '("multi-user.target"))))

(define openssh-service-type
  (service-type
   (name 'openssh)
   (extensions
    (list (service-extension profile-service-type
            (lambda (config) (list (openssh-configuration-openssh config))))
          (service-extension etc-service-type
            (lambda (config)
              (cons (list "ssh/sshd_config" (sshd-config config))
                    (map keys-entry (openssh-authorized-keys config)))))
          (service-extension systemd-service-type
            (const (list host-key-unit
                         (systemd-unit (name "ssh.service")
                                       (wanted-by '("multi-user.target"))))))))
   (compose concatenate)
   (extend (lambda (config keys)
             (openssh-configuration
              (inherit config)
              (authorized-keys (append (openssh-authorized-keys config) keys)))))
   (default-value (openssh-configuration))
   (description "the OpenSSH server")))
