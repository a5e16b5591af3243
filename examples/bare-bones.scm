;; A small server for a virtual machine: a user who may become root, and SSH.
;; kiln image examples/bare-bones.scm

(use-modules (gnu))
(use-package-modules linux)
(use-service-modules networking ssh)

(operating-system
  (host-name "komputilo")
  (timezone "Europe/Berlin")
  (locale "en_US.utf8")

  ;; Virtual machines need no more; leave it out for the kernel of real hardware.
  (kernel linux-cloud)
  (kernel-arguments '("console=tty0" "console=ttyS0,115200"))

  (bootloader (bootloader-configuration
               (bootloader grub-bootloader)
               (targets '("/dev/sda"))
               (timeout 1)))

  (file-systems (cons (file-system
                        (device (file-system-label "kiln-root"))
                        (mount-point "/")
                        (type "ext4"))
                      %base-file-systems))

  ;; The password is "kiln": change it, or give the hash of a better one.
  (users (cons (user-account
                (name "alice")
                (comment "Bob's sister")
                (group "users")
                (password (crypt "kiln" "$6$examplesalt"))
                (supplementary-groups '("wheel" "audio" "video")))
               %base-user-accounts))

  (packages (cons (specification->package "tmux") %base-packages))

  (services (append (list (service dhcp-client-service-type)
                          (service openssh-service-type
                                   (openssh-configuration
                                    (permit-root-login #f))))
                    %base-services)))
