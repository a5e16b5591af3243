;;; The accounts that every system has.
(define-module (gnu system shadow)
  #:use-module (gnu system accounts)
  #:re-export (user-account user-account? user-account-name user-account-password
               user-account-uid user-account-group user-account-supplementary-groups
               user-account-comment user-account-home-directory user-account-shell
               user-account-system? user-group user-group? user-group-name user-group-id
               user-group-system?)
  #:export (%base-groups %base-user-accounts))

;; Debian's base-passwd brings root, daemon, tty, disk, audio, video, cdrom, users and more.
(define %base-groups
  (map (lambda (group) (user-group (name group) (system? #t)))
       '("wheel" "kvm" "netdev" "input" "render" "lp" "cdrom" "audio" "video" "dialout"
         "plugdev" "users")))

;; Debian's base-passwd brings root, nobody and the other system users.
(define %base-user-accounts '())
