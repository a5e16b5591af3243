;; A light web server for UEFI machines: no boot loader but the kernel itself, little memory, a
;; read-only copy of what it serves, and swap.
;; kiln image examples/light-server.scm

(use-modules (gnu) (gnu bootloader systemd-boot) (gnu image) (gnu system image))
(use-package-modules linux)
(use-service-modules networking ssh)

(define page
  (plain-file "index.html" "<!doctype html>\n<title>Kiln</title>\n<p>It burns.\n"))

(define web-service
  (simple-service
   'web systemd-service-type
   (list (systemd-unit
          (name "web.service")
          (content (mixed-text-file "web.service" "\
[Unit]
Description=A web server
RequiresMountsFor=/srv
[Service]
DynamicUser=yes
AmbientCapabilities=CAP_NET_BIND_SERVICE
ExecStart=" (specification->package "busybox") "/bin/busybox httpd -f -p 80 -h /srv
"))
          (wanted-by '("multi-user.target"))))))

(define os
  (operating-system
   (host-name "light")
   (timezone "Etc/UTC")
   (locale "C.utf8")
   (kernel linux-cloud)
   (kernel-arguments '("console=ttyS0,115200" "quiet"))
   (bootloader (bootloader-configuration (bootloader unified-kernel-bootloader)))
   (file-systems
    (cons* (file-system
             (device (file-system-label "root"))
             (mount-point "/")
             (type "ext4")
             (flags '(no-atime)))
           (file-system
             (device (file-system-label "www"))
             (mount-point "/srv")
             (type "erofs")
             (flags '(read-only)))
           %base-file-systems))
   (swap-devices (list (swap-space (target (file-system-label "swap")))))
   (users (cons (user-account
                 (name "alice")
                 (group "users")
                 (supplementary-groups '("wheel")))
                %base-user-accounts))
   (packages (list (specification->package "busybox")))
   (services (cons* web-service
                    (service dhcp-client-service-type)
                    %base-services))))

(image
 (inherit (image-with-os efi-disk-image os))
 (name 'light-server)
 (partitions
  (list (partition (inherit esp-partition) (size (* 128 1024 1024)))
        (partition
         (label "swap")
         (file-system "swap")
         (size (* 256 1024 1024)))
        (partition
         (label "www")
         (file-system "erofs")
         (file-system-options '("-z" "lz4hc"))
         (flags '(read-only))
         (initializer
          #~(lambda (root)
              (copy-file #$page (string-append root "/index.html")))))
        (partition
         (inherit root-partition)
         (label "root")
         ;; keep nothing for root alone, and room for many small files
         (file-system-options '("-m" "0" "-i" "8192"))
         (flags '(boot grow))))))
