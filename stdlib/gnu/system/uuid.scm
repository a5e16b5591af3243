;;; UUIDs, as strings or as the bytes of any declaration.
(define-module (gnu system uuid)
  #:use-module (srfi srfi-9)
  #:use-module (guix store)
  #:use-module (gnu uuids)
  #:export (uuid uuid? uuid-string uuid-type uuid->string declaration-uuid))

(define-record-type <uuid>
  (make-uuid type string)
  uuid?
  (type uuid-type)
  (string uuid-string))

(define* (uuid string #:optional (type 'dce))
  "The UUID that STRING writes; TYPE is dce (the usual kind), fat or iso9660."
  (make-uuid type (parse-uuid string type)))

(define uuid->string uuid-string)

(define (declaration-uuid . parts)
  "A UUID that follows from PARTS, strings: the same ones give the same UUID, always."
  (make-uuid 'dce (derived-uuid parts)))
