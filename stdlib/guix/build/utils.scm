;;; What builds use most.
(define-module (guix build utils)
  #:use-module (guix build files)
  #:re-export (mkdir-p invoke copy-recursively install-file delete-file-recursively find-files
               symlink-tree)
  #:export (substitute* with-directory-excursion))

(define-syntax substitute*
  (syntax-rules ()
    "Replace in FILE, or in each of a list of files: each clause is ((PATTERN MATCH GROUP ...) BODY
...), where BODY gives the text that takes the place of what PATTERN matches."
    ((_ file ((pattern variable ...) body ...) ...)
     (let ((rules (list (cons pattern (substitution (variable ...) body ...)) ...))
           (files file))
       (for-each (lambda (one) (substitute-lines one rules))
                 (if (string? files) (list files) files))))))

(define-syntax substitution
  (syntax-rules ()
    ((_ () body ...) (lambda matches body ...))
    ((_ (variable ...) body ...) (lambda (variable ... . rest) body ...))))

(define-syntax-rule (with-directory-excursion directory body ...)
  "Evaluate BODY in DIRECTORY and come back."
  (let ((before (getcwd)))
    (dynamic-wind
      (lambda () (chdir directory))
      (lambda () body ...)
      (lambda () (chdir before)))))
