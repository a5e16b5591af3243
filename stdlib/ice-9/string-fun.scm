;;; (ice-9 string-fun): strings in parts; a procedure RET gets the parts.

(define-module (ice-9 string-fun)
  #:use-module (ice-9 string-replacing)
  #:export (split-after-char split-before-char split-discarding-char
            split-after-char-last split-before-char-last split-discarding-char-last
            split-before-predicate split-after-predicate split-discarding-predicate
            separate-fields-discarding-char separate-fields-after-char
            separate-fields-before-char string-prefix-predicate string-prefix=?
            sans-surrounding-whitespace sans-trailing-whitespace
            sans-leading-whitespace sans-final-newline has-trailing-newline?)
  #:re-export (string-replace-substring))

(define (split-at text end start ret)
  (ret (substring text 0 end) (substring text start)))

(define (split-after-char char str ret)
  "RET of STR up to and with its first CHAR, and of the rest."
  (let ((end (cond ((string-index str char) => 1+) (else (string-length str)))))
    (split-at str end end ret)))

(define (split-before-char char str ret)
  "RET of STR up to its first CHAR, and of the rest."
  (let ((end (or (string-index str char) (string-length str))))
    (split-at str end end ret)))

(define (split-discarding-char char str ret)
  "RET of STR up to its first CHAR, and of what comes after that."
  (let ((end (string-index str char)))
    (if end (split-at str end (1+ end) ret) (ret str ""))))

(define (split-after-char-last char str ret)
  "RET of STR up to and with its last CHAR, and of the rest."
  (let ((end (cond ((string-rindex str char) => 1+) (else 0))))
    (split-at str end end ret)))

(define (split-before-char-last char str ret)
  "RET of STR up to its last CHAR, and of the rest."
  (let ((end (or (string-rindex str char) 0)))
    (split-at str end end ret)))

(define (split-discarding-char-last char str ret)
  "RET of STR up to its last CHAR, and of what comes after that."
  (let ((end (string-rindex str char)))
    (if end (split-at str end (1+ end) ret) (ret str ""))))

(define (split-before-predicate pred str ret)
  "RET of STR up to the first character that PRED holds for, and of the rest."
  (let ((end (string-index str pred)))
    (if end (split-at str end end ret) (ret str ""))))

(define (split-after-predicate pred str ret)
  "RET of STR up to and with the first character that PRED holds for, and of the rest."
  (let ((end (string-index str pred)))
    (if end (split-at str (1+ end) (1+ end) ret) (ret str ""))))

(define (split-discarding-predicate pred str ret)
  "RET of STR up to the first character that PRED holds for, and of what comes after that."
  (let ((end (string-index str pred)))
    (if end (split-at str end (1+ end) ret) (ret str ""))))

(define (fields-from-the-end char str ret skipped)
  (let loop ((fields '()) (str str))
    (let ((place (string-rindex str char)))
      (if place
          (loop (cons (substring str (+ place skipped)) fields) (substring str 0 place))
          (apply ret str fields)))))

(define (separate-fields-discarding-char char str ret)
  "RET of the parts of STR between its CHARs."
  (fields-from-the-end char str ret 1))

(define (separate-fields-before-char char str ret)
  "RET of the parts of STR, all but the first of which begin with CHAR."
  (fields-from-the-end char str ret 0))

(define (separate-fields-after-char char str ret)
  "The list, backwards, that RET gives of what follows the last CHAR of STR, and of the parts that
end with CHAR, the last one first."
  (reverse
   (let loop ((fields '()) (str str))
     (let ((place (string-index str char)))
       (if place
           (loop (cons (substring str 0 (1+ place)) fields) (substring str (1+ place)))
           (apply ret str fields))))))

(define (string-prefix-predicate pred?)
  "A procedure of PREFIX and STR: is PREFIX, by PRED?, what STR begins with?"
  (lambda (prefix str)
    (and (<= (string-length prefix) (string-length str))
         (pred? prefix (substring str 0 (string-length prefix))))))

(define (string-prefix=? prefix str)
  "Does STR begin with PREFIX?"
  ((string-prefix-predicate string=?) prefix str))

(define (sans-surrounding-whitespace s)
  "S without the white space at both ends."
  (string-trim-both s char-whitespace?))

(define (sans-trailing-whitespace s)
  "S without the white space at its end."
  (string-trim-right s char-whitespace?))

(define (sans-leading-whitespace s)
  "S without the white space at its start."
  (string-trim s char-whitespace?))

(define (has-trailing-newline? str)
  "Does STR end with a newline?"
  (string-suffix? "\n" str))

(define (sans-final-newline str)
  "STR without the newline at its end, if there is one."
  (if (has-trailing-newline? str) (string-drop-right str 1) str))
