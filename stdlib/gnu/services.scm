;;; Services: a graph of typed nodes, folded into one value a target.

(define-module (gnu services)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:use-module (guix records)
  #:use-module (guix gexp)
  #:export (service-type service-type? service-type-name service-type-extensions
            service-type-compose service-type-extend service-type-default-value
            service-type-description service-type-location
            service-extension service-extension? service-extension-target
            service-extension-compute
            service service? service-kind service-value service-parameters
            simple-service modify-services fold-services instantiate-missing-services
            system-service-type etc-service-type profile-service-type account-service-type
            kernel-arguments-service-type
            systemd-service-type systemd-unit systemd-unit? systemd-unit-name
            systemd-unit-content systemd-unit-wanted-by systemd-unit-masked?)
  ;; the word of modify-services, which has to mean the same to those who use it
  #:re-export (delete))

(define-record-type <service-extension>
  (service-extension target compute)
  service-extension?
  (target service-extension-target)
  (compute service-extension-compute))

(define-record-type <no-default-value> (make-no-default-value) no-default-value?)
(define no-default-value (make-no-default-value))

(define-record-type* <service-type> service-type make-service-type service-type?
  (name service-type-name
        (documentation "a symbol, for messages"))
  (extensions service-type-extensions (default '())
              (documentation "a list of service-extension objects: what it adds to others"))
  (compose service-type-compose (default #f)
           (documentation "a procedure that makes one value of the list of what others add"))
  (extend service-type-extend (default #f)
          (documentation "a procedure of the service's value and the composed extensions"))
  (default-value service-type-default-value (default no-default-value)
                 (documentation "the value of a service that is written without one"))
  (description service-type-description (default "")
               (documentation "what it does, for people"))
  (location service-type-location (innate) (default (current-source-location))))

(define-record-type <service>
  (make-service kind value location)
  service?
  (kind service-kind)
  (value service-value)
  (location service-location))

(define service-parameters service-value)

;; (service type [value]): a service of that type, with the type's default value if none is given.
(define-syntax service
  (lambda (form)
    (syntax-case form ()
      ((_ type) #'(service/default type (current-source-location)))
      ((_ type value) #'(service/value type value (current-source-location)))
      (name (identifier? #'name)
            #'(lambda (type . value)
                (if (null? value)
                    (service/default type #f)
                    (service/value type (car value) #f)))))))

(define (service/value type value location)
  (check-type type)
  (make-service type value location))

(define (service/default type location)
  (check-type type)
  (let ((value (service-type-default-value type)))
    (when (no-default-value? value)
      (error (string-append "a service of type " (symbol->string (service-type-name type))
                            " needs a value: (service TYPE VALUE)")))
    (make-service type value location)))

(define (check-type type)
  (unless (service-type? type)
    (error "service: the first argument must be a service type, not" type)))

(define (simple-service name target value)
  "A service called NAME that does nothing but add VALUE to the services of type TARGET."
  (check-type target)
  (service (service-type (name name)
                         (extensions (list (service-extension target identity)))
                         (description "adds a value to another service"))
           value))

;; SERVICES changed by clauses: (TYPE VARIABLE => VALUE) gives those of a type the new value, in which
;; VARIABLE is the old one; (delete TYPE) removes them.
(define-syntax modify-services
  (syntax-rules ()
    ((_ services clause ...)
     (apply-modifications services (list (modification clause) ...)))))

(define-syntax modification
  (syntax-rules (=> delete)
    ((_ (delete type)) (cons type #f))
    ((_ (type variable => value)) (cons type (lambda (variable) value)))))

(define (apply-modifications services modifications)
  (for-each (lambda (modification)
              (check-type (car modification))
              (unless (any (lambda (service) (eq? (service-kind service) (car modification)))
                           services)
                (error "modify-services: there is no such service in the list:"
                       (service-type-name (car modification)))))
            modifications)
  (filter-map
   (lambda (service)
     (let ((modification (assq (service-kind service) modifications)))
       (cond ((not modification) service)
             ((not (cdr modification)) #f)
             (else (make-service (service-kind service)
                                 ((cdr modification) (service-value service))
                                 (service-location service))))))
   services))

;;; Folding.

(define (instantiate-missing-services services)
  "SERVICES and, with their default values, those that they extend and that are not among them."
  (let loop ((services services))
    (let* ((kinds (map service-kind services))
           (targets (delete-duplicates
                     (append-map (lambda (kind)
                                   (map service-extension-target (service-type-extensions kind)))
                                 kinds)
                     eq?))
           (missing (filter (lambda (target)
                              (and (not (memq target kinds))
                                   (not (no-default-value? (service-type-default-value target)))))
                            targets)))
      (if (null? missing)
          services
          (loop (append services (map (lambda (kind) (service kind)) missing)))))))

(define (find-service services kind extender)
  "The one service of type KIND; EXTENDER is the type that extends it."
  (let ((found (filter (lambda (service) (eq? (service-kind service) kind)) services)))
    (cond ((null? found)
           (error (string-append "no service of type " (symbol->string (service-type-name kind))
                                 " is declared, and " (symbol->string (service-type-name extender))
                                 " extends it")))
          ((null? (cdr found)) (car found))
          (else
           (error (string-append "more than one service of type "
                                 (symbol->string (service-type-name kind))
                                 " is declared, and " (symbol->string (service-type-name extender))
                                 " extends it"))))))

(define* (fold-services services #:key (target-type system-service-type))
  "The value of the service of type TARGET-TYPE once all services that extend it, directly or
through others, have added theirs."
  (define (extensions-of target)
    ;; (extender . compute) of all services that extend TARGET, in the order of SERVICES.
    (append-map
     (lambda (service)
       (filter-map (lambda (extension)
                     (and (eq? (service-extension-target extension) (service-kind target))
                          (cons service (service-extension-compute extension))))
                   (service-type-extensions (service-kind service))))
     services))
  (define (value-of target visiting)
    (when (memq target visiting)
      (error "services extend each other in a circle:"
             (map (lambda (service) (service-type-name (service-kind service)))
                  (cons target visiting))))
    (let* ((kind (service-kind target))
           (values-added (map (lambda (entry)
                                ((cdr entry) (value-of (car entry) (cons target visiting))))
                              (extensions-of target)))
           (extend (service-type-extend kind))
           (compose (service-type-compose kind)))
      (cond ((null? values-added)
             (if (and extend compose) (extend (service-value target) (compose '()))
                 (service-value target)))
            ((not (and compose extend))
             (error "this service type cannot be extended:" (service-type-name kind)))
            (else (extend (service-value target) (compose values-added))))))
  (for-each
   (lambda (service)
     (for-each (lambda (extension)
                 (find-service services (service-extension-target extension)
                               (service-kind service)))
               (service-type-extensions (service-kind service))))
   services)
  (value-of (find-service services target-type target-type) '()))

;;; The types that everything is folded into.

;; Its value is an association list of what the others come to.
(define system-service-type
  (service-type (name 'system)
                (compose concatenate)
                (extend append)
                (default-value '())
                (description "the whole system, as an association list")))

(define (system-entry key)
  (service-extension system-service-type (lambda (value) (list (cons key value)))))

(define-syntax-rule (define-collecting-service variable type-name key text)
  (define variable
    (service-type (name 'type-name)
                  (extensions (list (system-entry 'key)))
                  (compose concatenate)
                  (extend append)
                  (default-value '())
                  (description text))))

(define-collecting-service etc-service-type etc etc
  "files of /etc: a list of (name file-like) lists")
(define-collecting-service profile-service-type profile packages
  "Debian packages in the image")
(define-collecting-service account-service-type account accounts
  "user accounts and groups")
(define-collecting-service systemd-service-type systemd units
  "units of the init system: a list of systemd-unit objects")
(define-collecting-service kernel-arguments-service-type kernel-arguments kernel-arguments
  "arguments of the kernel's command line")

;;; Units of systemd, which does what the Shepherd does on Guix System.

(define-record-type* <systemd-unit> systemd-unit make-systemd-unit systemd-unit?
  (name systemd-unit-name
        (documentation "the unit's full name, such as \"hello.service\""))
  (content systemd-unit-content (default #f)
           (documentation "a file-like object with its text; #f if a package brings it"))
  (wanted-by systemd-unit-wanted-by (default '())
             (documentation "the units that start it, such as '(\"multi-user.target\")"))
  (masked? systemd-unit-masked? (default #f)
           (documentation "if true, it is never started")))
