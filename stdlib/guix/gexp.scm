;;; Staged code and file-like objects, and what they lower to.
;;;
;;; Lowering turns an object into a <lowered>: the text that stands for it in a build or in a file
;;; (mostly a path), the derivations and store items that have to be there first, and the Debian
;;; packages that have to be in the image for the path to exist.

(define-module (guix gexp)
  #:use-module (srfi srfi-1)
  #:use-module (srfi srfi-9)
  #:use-module (srfi srfi-35)
  #:use-module (guix store)
  #:re-export (gexp? gexp-inputs)
  #:export (plain-file plain-file? plain-file-name plain-file-content
            local-file local-file? local-file-name local-file-path
            computed-file computed-file? computed-file-name computed-file-gexp
            mixed-text-file mixed-text-file? mixed-text-file-name
            file-append file-append? file-append-base file-append-suffix
            scheme-file scheme-file? scheme-file-name scheme-file-gexp
            program-file program-file? program-file-name program-file-gexp
            file-union directory-union
            gexp->derivation lower-object lower-text define-compiler!
            make-lowered lowered? lowered-value lowered-inputs lowered-packages
            file-like? file-like-name output))

(define-record-type <plain-file>
  (%plain-file name content)
  plain-file?
  (name plain-file-name)
  (content plain-file-content))

(define (plain-file name content)
  "A file called NAME that holds the string CONTENT."
  (check-name 'plain-file name)
  (unless (string? content)
    (error "plain-file: the content must be a string:" content))
  (%plain-file name content))

(define-record-type <local-file>
  (%local-file path name recursive? location)
  local-file?
  (path local-file-path)
  (name local-file-name)
  (recursive? local-file-recursive?)
  (location local-file-location))

(define-syntax local-file
  (syntax-rules ()
    "A file of the configuration's own, found beside it: (local-file FILE [NAME] [#:recursive? #t])."
    ((_ file rest ...) (make-local-file (current-source-location) file rest ...))))

(define* (make-local-file location file #:optional (name (basename file)) #:key recursive?)
  "The file FILE, found beside the source at LOCATION; a directory if RECURSIVE?."
  (%local-file (beside-source location file) name recursive? location))

(define (check-local-file file)
  "Raise an error where FILE is written if it is not there, or a directory that was not expected."
  (let ((path (local-file-path file)))
    (case (file-kind path)
      ((#f) (refuse-local-file file (string-append "there is no file " path) #f))
      ((directory)
       (unless (local-file-recursive? file)
         (refuse-local-file file (string-append path " is a directory")
                            "add #:recursive? #t if that is what you mean"))))))

(define (refuse-local-file file message hint)
  (raise (apply make-compound-condition
                (condition (&error))
                (condition (&message (message (string-append "local-file: " message))))
                (append (if hint (list (condition (&fix-hint (hint hint)))) '())
                        (if (local-file-location file)
                            (list (condition
                                   (&error-location (location (local-file-location file)))))
                            '())))))

(define-record-type <computed-file>
  (%computed-file name gexp options)
  computed-file?
  (name computed-file-name)
  (gexp computed-file-gexp)
  (options computed-file-options))

(define* (computed-file name gexp #:key (options '()) (local-build? #t))
  "A file or directory called NAME that the build of GEXP puts at #$output."
  (check-name 'computed-file name)
  (unless (gexp? gexp)
    (error "computed-file: the second argument must be a gexp, #~(...):" gexp))
  (%computed-file name gexp options))

(define-record-type <mixed-text-file>
  (%mixed-text-file name parts)
  mixed-text-file?
  (name mixed-text-file-name)
  (parts mixed-text-file-parts))

(define (mixed-text-file name . parts)
  "A file called NAME with PARTS one after the other: strings, and file-like objects as paths."
  (check-name 'mixed-text-file name)
  (%mixed-text-file name parts))

(define-record-type <scheme-file>
  (%scheme-file name gexp splice? modules)
  scheme-file?
  (name scheme-file-name)
  (gexp scheme-file-gexp)
  (splice? scheme-file-splice?)
  (modules scheme-file-modules))

(define* (scheme-file name gexp #:key (splice? #f) (set-load-path? #t))
  "A file called NAME with the code GEXP; if SPLICE?, GEXP is a list of which each element is code.
What with-imported-modules names lies beside, and is found if SET-LOAD-PATH?."
  (check-name 'scheme-file name)
  (check-code 'scheme-file gexp)
  (%scheme-file name gexp splice? (if set-load-path? (guile-modules (vector->list (gexp-modules gexp))) '())))

(define-record-type <program-file>
  (%program-file name gexp guile modules)
  program-file?
  (name program-file-name)
  (gexp program-file-gexp)
  (guile program-file-guile)
  (modules program-file-modules))

(define* (program-file name gexp #:key (guile #f))
  "A program called NAME that Guile runs: GUILE, a package or another directory with bin/guile, else
Debian's guile-3.0."
  (check-name 'program-file name)
  (check-code 'program-file gexp)
  (when (and guile (not (file-like? guile)))
    (error "program-file: guile must be a package or a file-like object:" guile))
  (%program-file name gexp guile (guile-modules (vector->list (gexp-modules gexp)))))

(define (check-code who gexp)
  "Say so if GEXP is no code that can stand in a file."
  (let ((who (symbol->string who)))
    (unless (gexp? gexp)
      (error (string-append who ": the second argument must be a gexp, #~(...):") gexp))
    (when (refers-to-output? gexp)
      (error (string-append who ": there is no build for #$output to belong to: use it in a "
                            "computed-file")))))

(define (refers-to-output? thing)
  (cond ((output? thing) #t)
        ((gexp? thing) (any refers-to-output? (gexp-inputs thing)))
        ((gexp-input? thing) (refers-to-output? (gexp-input-thing thing)))
        ((pair? thing) (or (refers-to-output? (car thing)) (refers-to-output? (cdr thing))))
        (else #f)))

;; What Guile itself has, by the first part of the names.
(define %guiles-own '(guile ice-9 language oop rnrs scheme srfi statprof sxml system texinfo web))

(define (guile-modules names)
  "The (name . file) of the modules NAMES and all that these import, without what Guile has."
  (let loop ((names names) (found '()))
    (cond ((null? names) (reverse found))
          ((or (memq (caar names) %guiles-own) (assoc (car names) found))
           (loop (cdr names) found))
          (else
           (let* ((name (car names))
                  (path (string-join (map symbol->string name) "/"))
                  (file (%search-load-path path)))
             (cond ((not file)
                    (error "there is no file of this module on the load path, for Guile:" name))
                   ((own-source? file)
                    (error "this module is part of Kiln, and Guile has none of that name:" name))
                   (else
                    (loop (append (cdr names) (source-imports file))
                          (acons name file found)))))))))

(define-record-type <file-append>
  (%file-append base suffix)
  file-append?
  (base file-append-base)
  (suffix file-append-suffix))

(define (file-append base . suffix)
  "The path of BASE with the strings SUFFIX behind it."
  (%file-append base (string-concatenate suffix)))

(define-record-type <output> (make-output) output?)

;; #$output: where the build that the gexp is part of leaves its result.
(define output (make-output))

(define (check-name who name)
  (unless (string? name)
    (error (string-append (symbol->string who) ": the name must be a string:") name)))

(define (file-union name files)
  "A directory called NAME with copies of files: FILES is a list of (PATH FILE-LIKE) lists."
  (check-name 'file-union name)
  (unless (list? files)
    (error "file-union: the files must be a list of (PATH FILE-LIKE) lists:" files))
  (fold (lambda (entry before)
          (unless (and (list? entry) (= (length entry) 2) (string? (car entry))
                       (file-like? (cadr entry)))
            (error "file-union: this must be a list of a path and a file-like object:" entry))
          (let* ((path (car entry)) (parts (string-split path #\/)))
            (when (or (member "" parts) (member "." parts) (member ".." parts))
              (error "file-union: this must be a path inside of the directory:" path))
            (when (member parts before)
              (error "file-union: this path is there twice:" path))
            (cons parts before)))
        '()
        files)
  (computed-file name
    #~(begin
        (use-modules (guix build utils))
        (mkdir-p #$output)
        #$@(map (lambda (entry)
                  #~(copy-recursively #$(cadr entry) (string-append #$output "/" #$(car entry))))
                files))))

(define (directory-union name things)
  "A directory called NAME with copies of what is in each of THINGS, directories; where several have
a file, the first one's."
  (check-name 'directory-union name)
  (unless (and (list? things) (every file-like? things))
    (error "directory-union: the directories must be a list of file-like objects:" things))
  (if (and (pair? things) (null? (cdr things)))
      (car things)
      (computed-file name
        #~(begin
            (use-modules (guix build files))
            (merge-directories (list #$@things) #$output)))))

;;; Lowering.

(define-record-type <lowered>
  (make-lowered value inputs packages)
  lowered?
  (value lowered-value)
  (inputs lowered-inputs)
  (packages lowered-packages))

;; How each kind of object lowers: (predicate . procedure of the object and native?).
(define %compilers '())

(define (define-compiler! predicate procedure)
  "Lower the objects of which PREDICATE is true by PROCEDURE, which takes the object and whether
it is wanted in native context, and gives a <lowered>."
  (set! %compilers (cons (cons predicate procedure) %compilers)))

(define (compiler object)
  (let loop ((rest %compilers))
    (cond ((null? rest) #f)
          (((caar rest) object) (cdar rest))
          (else (loop (cdr rest))))))

(define (file-like? object)
  "Can OBJECT be lowered to a path?"
  (and (compiler object) #t))

(define (file-like-name object)
  "The name that OBJECT was given, or #f."
  (cond ((plain-file? object) (plain-file-name object))
        ((local-file? object) (local-file-name object))
        ((computed-file? object) (computed-file-name object))
        ((mixed-text-file? object) (mixed-text-file-name object))
        ((scheme-file? object) (scheme-file-name object))
        ((program-file? object) (program-file-name object))
        (else #f)))

(define* (lower-object object #:key native?)
  "Lower OBJECT, a file-like object, a gexp's datum or a derivation."
  (cond ((compiler object) => (lambda (compile) (compile object native?)))
        ((derivation? object) (make-lowered (derivation-path object) (list object) '()))
        (else (make-lowered object '() '()))))

(define (combine value lowered)
  "A <lowered> of VALUE with the inputs and packages of all of LOWERED."
  (make-lowered value
                (delete-duplicates (append-map lowered-inputs lowered) eq?)
                (delete-duplicates (append-map lowered-packages lowered) eq?)))

(define (lower-input input native?)
  "Lower a gexp-input, or a list of things in one."
  (let ((thing (gexp-input-thing input))
        (native? (or native? (gexp-input-native? input))))
    (let lower ((thing thing))
      (cond ((output? thing) (make-lowered '(getenv "out") '() '()))
            ((gexp? thing) (lower-gexp thing native?))
            ((pair? thing)
             (let ((head (lower (car thing))) (tail (lower (cdr thing))))
               (combine (cons (lowered-value head) (lowered-value tail)) (list head tail))))
            ((gexp-input? thing) (lower-input thing native?))
            (else (lower-object thing #:native? native?))))))

(define (lower-gexp gexp native?)
  "A <lowered> whose value is the s-expression that GEXP stands for."
  (let ((inputs (map (lambda (input) (lower-input input native?)) (gexp-inputs gexp))))
    (combine (apply (gexp-build gexp) (map lowered-value inputs)) inputs)))

(define* (gexp->derivation name gexp #:key (env-vars '()) (location (gexp-location gexp))
                           (attributes #f))
  "The derivation called NAME that evaluates GEXP, written at LOCATION, in a build sandbox. Its
output, a directory, gets the file ATTRIBUTES with what it says of modes, owners and devices."
  (let ((lowered (lower-gexp gexp #f)))
    (staged-derivation name (lowered-value lowered) (gexp-modules gexp)
                       (lowered-inputs lowered) env-vars location attributes)))

(define (text-parts parts)
  "A <lowered> of the text of PARTS, one after the other."
  (let ((lowered (map lower-object parts)))
    (combine (string-concatenate
              (map (lambda (part)
                     (let ((value (lowered-value part)))
                       (if (string? value) value (object->string value))))
                   lowered))
             lowered)))

(define (code-text gexp splice? modules native?)
  "A <lowered> of the text of GEXP's code, which finds MODULES, of (name . file), beside it."
  (let* ((code (lower-gexp gexp native?))
         (value (lowered-value code))
         (forms (if splice? value (list value)))
         (beside (and (pair? modules) (add-modules-to-store modules)))
         (path (if beside
                   `((eval-when (expand load eval)
                       (set! %load-path (cons ,beside %load-path))))
                   '())))
    (unless (list? forms)
      (error "scheme-file: what is to be spliced must be a list:" forms))
    (make-lowered (string-concatenate
                   (map (lambda (form) (string-append (object->string form) "\n"))
                        (append path forms)))
                  (if beside (cons beside (lowered-inputs code)) (lowered-inputs code))
                  (lowered-packages code))))

(define (scheme-text file native?)
  (code-text (scheme-file-gexp file) (scheme-file-splice? file) (scheme-file-modules file) native?))

(define (default-guile)
  "Debian's Guile; its module needs this one."
  ((module-ref (resolve-module '(gnu packages)) 'parse-specification) "guile-3.0" #f))

(define (lower-text object)
  "A <lowered> whose value is the text of OBJECT, if that is known without a build; else #f."
  (cond ((plain-file? object) (make-lowered (plain-file-content object) '() '()))
        ((mixed-text-file? object) (text-parts (mixed-text-file-parts object)))
        ((scheme-file? object) (scheme-text object #f))
        (else #f)))

(define-compiler! plain-file?
  (lambda (file native?)
    (let ((item (add-text-to-store (plain-file-name file) (plain-file-content file))))
      (make-lowered item (list item) '()))))

(define-compiler! mixed-text-file?
  (lambda (file native?)
    (let* ((text (text-parts (mixed-text-file-parts file)))
           (item (add-text-to-store (mixed-text-file-name file) (lowered-value text))))
      (make-lowered item (cons item (lowered-inputs text)) (lowered-packages text)))))

(define-compiler! scheme-file?
  (lambda (file native?)
    (let* ((text (scheme-text file native?))
           (item (add-text-to-store (scheme-file-name file) (lowered-value text))))
      (make-lowered item (cons item (lowered-inputs text)) (lowered-packages text)))))

(define-compiler! program-file?
  (lambda (file native?)
    (let* ((guile (lower-object (or (program-file-guile file) (default-guile)) #:native? native?))
           (code (code-text (program-file-gexp file) #f (program-file-modules file) native?))
           (text (string-append "#!" (lowered-value guile) "/bin/guile --no-auto-compile\n!#\n"
                                (lowered-value code)))
           (item (add-text-to-store (program-file-name file) text #t))
           (all (combine item (list guile code))))
      (make-lowered item (cons item (lowered-inputs all)) (lowered-packages all)))))

(define-compiler! local-file?
  (lambda (file native?)
    (check-local-file file)
    (let ((item (add-file-to-store (local-file-name file) (local-file-path file)
                                   (local-file-recursive? file))))
      (make-lowered item (list item) '()))))

(define-compiler! computed-file?
  (lambda (file native?)
    (let ((derivation (gexp->derivation (computed-file-name file) (computed-file-gexp file)
                                        #:env-vars (computed-file-options file))))
      (make-lowered (derivation-path derivation) (list derivation) '()))))

(define-compiler! file-append?
  (lambda (file native?)
    (let ((base (lower-object (file-append-base file) #:native? native?)))
      (make-lowered (string-append (lowered-value base) (file-append-suffix file))
                    (lowered-inputs base)
                    (lowered-packages base)))))
