;;; (rnrs unicode): characters and strings by Unicode's rules (R6RS Libraries, 1).

(define-module (rnrs unicode)
  #:export (char-title-case?)
  #:re-export
  (char-alphabetic? char-ci<=? char-ci<? char-ci=? char-ci>=? char-ci>? char-downcase char-foldcase
   char-general-category char-lower-case? char-numeric? char-titlecase char-upcase
   char-upper-case? char-whitespace? string-ci<=? string-ci<? string-ci=? string-ci>=? string-ci>?
   string-downcase string-foldcase string-normalize-nfc string-normalize-nfd string-normalize-nfkc
   string-normalize-nfkd string-titlecase string-upcase))

(define (char-title-case? char)
  "Is CHAR a letter that stands for two, of which the first is a capital?"
  (eq? (char-general-category char) 'Lt))
