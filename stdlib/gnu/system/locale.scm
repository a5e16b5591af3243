;;; Locales: compiled from Debian's sources of them, in a build.
(define-module (gnu system locale)
  #:use-module (guix gexp)
  #:use-module (gnu packages)
  #:use-module (gnu packages base)
  #:export (locale-variable locale-directory built-in-locale?))

(define (split-locale name)
  "The parts of NAME, such as en_US.utf8: the source's name and the character map's."
  (let ((dot (string-index name #\.)))
    (if dot
        (values (substring name 0 dot) (substring name (+ dot 1)))
        (values name "UTF-8"))))

(define (canonical-charset charset)
  (if (member (string-downcase charset) '("utf8" "utf-8")) "UTF-8" charset))

(define (locale-variable name)
  "NAME as the variable LANG has it on Debian."
  (call-with-values (lambda () (split-locale name))
    (lambda (source charset)
      (if (member source '("C" "POSIX"))
          (if (string-index name #\.) "C.UTF-8" source)
          (string-append source "." (canonical-charset charset))))))

(define (built-in-locale? name)
  "Does the C library have the locale NAME without a file?"
  (and (member (call-with-values (lambda () (split-locale name)) (lambda (source charset) source))
               '("C" "POSIX"))
       #t))

(define (locale-directory name)
  "A directory with the compiled locale NAME, for /usr/lib/locale."
  (call-with-values (lambda () (split-locale name))
    (lambda (source charset)
      (computed-file (string-append "locale-" name)
        #~(begin
            (use-modules (guix build utils))
            (mkdir-p #$output)
            (setenv "I18NPATH" #+(file-append locales "/share/i18n"))
            ;; localedef unpacks character maps with the gzip that it finds.
            (setenv "PATH" #+(file-append gzip "/bin"))
            (invoke #+(file-append libc-bin "/bin/localedef") "--no-archive"
                    "-i" #$source
                    "-f" #$(canonical-charset charset)
                    (string-append #$output "/" #$(normalized-name source charset))))))))

(define (normalized-name source charset)
  "The directory's name that the C library looks for."
  (string-append source "."
                 (string-downcase (string-filter (lambda (c) (not (char=? c #\-))) charset))))
