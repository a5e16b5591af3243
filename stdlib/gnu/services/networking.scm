;;; The network.
(define-module (gnu services networking)
  #:use-module (srfi srfi-1)
  #:use-module (guix records)
  #:use-module (guix gexp)
  #:use-module (gnu packages)
  #:use-module (gnu services)
  #:use-module (gnu system checks)
  #:export (dhcp-client-service-type dhcp-client-configuration dhcp-client-configuration?))

(define-record-type* <dhcp-client-configuration> dhcp-client-configuration
  make-dhcp-client-configuration dhcp-client-configuration?
  (interfaces dhcp-client-configuration-interfaces (default 'all)
              (sanitize (ensure (lambda (v) (or (eq? v 'all)
                                                (and (list? v) (every string? v))))
                                "'all or a list of interface names"))
              (documentation "the names of the interfaces, or 'all for all wired ones")))

(define (match-section interfaces)
  (if (eq? interfaces 'all)
      "[Match]\nType=ether\nName=en* eth*\n"
      (string-append "[Match]\nName=" (string-join interfaces " ") "\n")))

(define (network-file config)
  (plain-file "80-kiln-dhcp.network"
              (string-append (match-section (dhcp-client-configuration-interfaces config))
                             "\n[Network]\nDHCP=yes\n")))

(define dhcp-client-service-type
  (service-type
   (name 'dhcp-client)
   (extensions
    (list (service-extension etc-service-type
            (lambda (config)
              (list (list "systemd/network/80-kiln-dhcp.network" (network-file config)))))
          (service-extension profile-service-type
            (const (list (specification->package "systemd-resolved"))))
          (service-extension systemd-service-type
            (const (list (systemd-unit (name "systemd-networkd.service")
                                       (wanted-by '("multi-user.target")))
                         (systemd-unit (name "systemd-resolved.service")
                                       (wanted-by '("sysinit.target"))))))))
   (default-value (dhcp-client-configuration))
   (description "addresses from the network's DHCP server, by systemd-networkd")))
