;;; User accounts and groups as records.
(define-module (gnu system accounts)
  #:use-module (srfi srfi-1)
  #:use-module (guix records)
  #:use-module (gnu system checks)
  #:export (user-account user-account? user-account-name user-account-password
            user-account-uid user-account-group user-account-supplementary-groups
            user-account-comment user-account-home-directory
            user-account-create-home-directory? user-account-shell user-account-system?
            user-account-location
            user-group user-group? user-group-name user-group-password user-group-id
            user-group-system? user-group-location
            account->json group->json))

(define (id? value) (and (integer? value) (>= value 0)))

;; What useradd(8) of Debian accepts, and login programs rely on.
(define (account-name? value)
  (and (string? value)
       (< 0 (string-length value) 33)
       (string-every (lambda (c)
                       (or (char<=? #\a c #\z) (char<=? #\0 c #\9) (memv c '(#\_ #\-))))
                     value)
       (let ((first (string-ref value 0))) (or (char<=? #\a first #\z) (char=? first #\_)))))

(define ensure-account-name
  (ensure account-name? "a name of at most 32 small letters, digits, _ and -"))

(define (password-hash? value)
  (and (string? value)
       (or (member value '("" "!" "*"))
           (string-prefix? "!" value)
           (and (string-prefix? "$" value) (not (string-any (lambda (c) (memv c '(#\: #\newline)))
                                                            value))))))

(define-record-type* <user-account> user-account make-user-account user-account?
  (name user-account-name (sanitize ensure-account-name)
        (documentation "the login name"))
  (password user-account-password (default #f)
            (sanitize (ensure-optional password-hash?
                                       "the hash of a password, as (crypt \"…\" \"$6$salt\") gives"))
            (documentation "the password's hash, as crypt gives it; #f locks the account"))
  (uid user-account-uid (default #f) (sanitize (ensure-optional id? "a number"))
       (documentation "the user's number; #f lets Kiln choose"))
  (group user-account-group (sanitize (ensure (lambda (v) (or (string? v) (id? v)))
                                              "a group's name"))
         (documentation "the main group's name"))
  (supplementary-groups user-account-supplementary-groups (default '())
                        (sanitize (ensure-list string? "names of groups"))
                        (documentation "names of further groups"))
  (comment user-account-comment (default "") (sanitize ensure-string)
           (documentation "the full name"))
  (home-directory user-account-home-directory (thunked)
                  (default (string-append "/home/" (user-account-name this-record)))
                  (documentation "the home directory"))
  (create-home-directory? user-account-create-home-directory? (default #t)
                          (sanitize ensure-boolean)
                          (documentation "whether the image has the home directory"))
  (shell user-account-shell (default "/bin/bash")
         (documentation "the login shell: a path, or a file-append"))
  (system? user-account-system? (default #f) (sanitize ensure-boolean)
           (documentation "whether it is an account of the system's"))
  (location user-account-location (innate) (default (current-source-location))))

(define-record-type* <user-group> user-group make-user-group user-group?
  (name user-group-name (sanitize ensure-account-name) (documentation "the group's name"))
  (password user-group-password (default #f)
            (sanitize (ensure-optional password-hash? "the hash of a password"))
            (documentation "the hash of its password, or #f"))
  (id user-group-id (default #f) (sanitize (ensure-optional id? "a number"))
      (documentation "the group's number; #f lets Kiln choose"))
  (system? user-group-system? (default #f) (sanitize ensure-boolean)
           (documentation "whether it is a group of the system's"))
  (location user-group-location (innate) (default (current-source-location))))

(define (account->json account shell)
  "ACCOUNT for the builder; SHELL is its shell's path."
  `((name . ,(user-account-name account))
    (password . ,(or (user-account-password account) 'null))
    (uid . ,(or (user-account-uid account) 'null))
    (group . ,(user-account-group account))
    (supplementary_groups . ,(list->vector (user-account-supplementary-groups account)))
    (comment . ,(user-account-comment account))
    (home . ,(user-account-home-directory account))
    (create_home . ,(user-account-create-home-directory? account))
    (shell . ,shell)
    (system . ,(user-account-system? account))))

(define (group->json group)
  "GROUP for the builder."
  `((name . ,(user-group-name group))
    (password . ,(or (user-group-password group) 'null))
    (id . ,(or (user-group-id group) 'null))
    (system . ,(user-group-system? group))))
