;;; (srfi srfi-41): streams, whose elements and rests are computed when they are wanted.
;;;
;;; A stream is a promise of %null or of a <link>. Forcing one that promises another stream is a
;;; loop, so that chains of any length take no stack.

(define-module (srfi srfi-41)
  #:use-module (srfi srfi-9)
  #:export (stream-null stream-cons stream? stream-null? stream-pair? stream-car stream-cdr
            stream-lambda define-stream stream-let stream-match stream-of stream
            list->stream port->stream stream->list
            stream-append stream-concat stream-constant stream-drop stream-drop-while
            stream-filter stream-fold stream-for-each stream-from stream-iterate stream-length
            stream-map stream-range stream-ref stream-reverse stream-scan stream-take
            stream-take-while stream-unfold stream-unfolds stream-zip
            %lazy %link))

;;; Streams proper

;; CELL is (#t . thunk giving a stream) or (#f . null or link); streams that turn out to be the
;; same share it.
(define-record-type <stream>
  (make-stream cell)
  stream?
  (cell stream-cell set-stream-cell!))

(define-record-type <link>
  (make-link head tail)
  link?
  (head link-head)                      ; as CELL: (#t . thunk) or (#f . value)
  (tail link-tail))                     ; a stream

(define-syntax-rule (%lazy expression)
  (make-stream (cons #t (lambda () expression))))

(define-syntax-rule (%link head tail)
  (make-stream (cons #f (make-link (cons #t (lambda () head)) tail))))

(define (stream-force stream)
  (let ((cell (stream-cell stream)))
    (if (car cell)
        (let ((next ((cdr cell))))
          (unless (stream? next)
            (error "a stream is expected, not" next))
          (let ((cell (stream-cell stream)))
            ;; computing it may have forced the stream itself
            (when (car cell)
              (let ((known (stream-cell next)))
                (set-car! cell (car known))
                (set-cdr! cell (cdr known))
                (set-stream-cell! next cell))))
          (stream-force stream))
        (cdr cell))))

(define stream-null (make-stream (cons #f 'null)))

;; What has been computed is shown: ? is an element that has not, ... the rest.
(set-record-type-printer! <stream>
  (lambda (stream port)
    (display "#<stream" port)
    (let loop ((stream stream))
      (let ((cell (stream-cell stream)))
        (cond ((car cell) (display " ...>" port))
              ((link? (cdr cell))
               (let ((head (link-head (cdr cell))))
                 (display " " port)
                 (if (car head) (display "?" port) (write (cdr head) port)))
               (loop (link-tail (cdr cell))))
              (else (display ">" port)))))))

(define-syntax-rule (stream-cons first rest)
  "A stream of FIRST before the stream REST, both evaluated when they are wanted."
  (%link first (%lazy rest)))

(define (stream-null? x)
  (and (stream? x) (eq? (stream-force x) 'null)))

(define (stream-pair? x)
  (and (stream? x) (link? (stream-force x))))

(define (link who stream)
  "What the stream STREAM, which must not be empty, promises."
  (unless (stream? stream)
    (error (string-append who ": a stream is expected, not") stream))
  (let ((value (stream-force stream)))
    (if (link? value)
        value
        (error (string-append who ": the stream is empty")))))

(define (stream-car stream)
  "The first element of STREAM."
  (let ((head (link-head (link "stream-car" stream))))
    (when (car head)
      (let ((value ((cdr head))))
        ;; computing it may have computed it already; the first value stays
        (when (car head)
          (set-cdr! head value)
          (set-car! head #f))))
    (cdr head)))

(define (stream-cdr stream)
  "STREAM without its first element."
  (link-tail (link "stream-cdr" stream)))

(define-syntax-rule (stream-lambda formals body ...)
  "A procedure that gives a stream; its body is evaluated when the stream is looked at."
  (lambda formals (%lazy (let () body ...))))

(define-syntax-rule (define-stream (name . formals) body ...)
  (define name (stream-lambda formals body ...)))

(define-syntax-rule (stream-let name ((variable value) ...) body ...)
  "A named let that gives a stream."
  ((letrec ((name (stream-lambda (variable ...) body ...))) name) value ...))

(define-syntax stream
  (syntax-rules ()
    ((_) stream-null)
    ((_ first rest ...) (stream-cons first (stream rest ...)))))

;;; Patterns and comprehensions

(define-syntax-rule (stream-match expression clause ...)
  "The first CLAUSE (pattern [fender] expression) whose pattern is the stream's shape."
  (let ((matched expression))
    (unless (stream? matched)
      (error "stream-match: a stream is expected, not" matched))
    (match-clauses matched clause ...)))

(define-syntax match-clauses
  (syntax-rules ()
    ((_ matched) (error "stream-match: no pattern matches"))
    ((_ matched (pattern expression) more ...)
     (match-clauses matched (pattern #t expression) more ...))
    ((_ matched (pattern fender expression) more ...)
     (let ((next (lambda () (match-clauses matched more ...))))
       (match-pattern matched pattern (if fender expression (next)) (next))))))

(define-syntax match-pattern
  (syntax-rules ()
    ((_ matched () found lost)
     (if (stream-null? matched) found lost))
    ((_ matched (first . rest) found lost)
     (if (stream-pair? matched)
         (let ((tail (stream-cdr matched)))
           (match-name first (stream-car matched) (match-pattern tail rest found lost)))
         lost))
    ((_ matched name found lost)
     (match-name name matched found))))

(define-syntax match-name
  (lambda (form)
    (syntax-case form ()
      ((_ name value body)
       (if (free-identifier=? #'name #'_)
           #'body
           #'(let ((name value)) body))))))

(define-syntax-rule (stream-of expression clause ...)
  "The values of EXPRESSION for all (name in stream), (name is value) that the conditions accept."
  (stream-of-clauses expression stream-null clause ...))

(define-syntax stream-of-clauses
  (syntax-rules (in is)
    ((_ expression rest) (stream-cons expression rest))
    ((_ expression rest (name in source) clause ...)
     (stream-let loop ((items source))
       (if (stream-null? items)
           rest
           (let ((name (stream-car items)))
             (stream-of-clauses expression (loop (stream-cdr items)) clause ...)))))
    ((_ expression rest (name is value) clause ...)
     (let ((name value)) (stream-of-clauses expression rest clause ...)))
    ((_ expression rest condition clause ...)
     (if condition (stream-of-clauses expression rest clause ...) rest))))

;;; From and to other things

(define (check-count who n)
  (unless (and (exact-integer? n) (>= n 0))
    (error (string-append who ": a count is expected, not") n)))

(define (check-streams who streams)
  (when (null? streams)
    (error (string-append who ": no stream is given")))
  (for-each (lambda (stream)
              (unless (stream? stream)
                (error (string-append who ": a stream is expected, not") stream)))
            streams))

(define (list->stream items)
  (unless (list? items)
    (error "list->stream: a list is expected, not" items))
  (let next ((items items))
    (if (null? items)
        stream-null
        (stream-cons (car items) (next (cdr items))))))

(define* (port->stream #:optional (port (current-input-port)))
  "The characters of PORT."
  (stream-let next ()
    (let ((char (read-char port)))
      (if (eof-object? char)
          stream-null
          (stream-cons char (next))))))

(define stream->list
  (case-lambda
    ((stream) (stream->list -1 stream))
    ((n stream)
     (unless (eqv? n -1) (check-count "stream->list" n))
     (check-streams "stream->list" (list stream))
     (let loop ((n n) (stream stream) (result '()))
       (if (or (= n 0) (stream-null? stream))
           (reverse! result)
           (loop (- n 1) (stream-cdr stream) (cons (stream-car stream) result)))))))

;;; Making streams

(define (stream-from first . step)
  "FIRST, FIRST + STEP, and so on for ever."
  (let ((step (if (null? step) 1 (car step))))
    (stream-let next ((number first))
      (stream-cons number (next (+ number step))))))

(define (stream-range first past . step)
  "The numbers from FIRST until PAST."
  (let* ((step (cond ((pair? step) (car step)) ((< first past) 1) (else -1)))
         (inside? (if (< 0 step) < >)))
    (stream-let next ((number first))
      (if (inside? number past)
          (stream-cons number (next (+ number step)))
          stream-null))))

(define (stream-constant . items)
  "ITEMS, over and over."
  (if (null? items)
      stream-null
      (stream-let next ((rest items))
        (if (null? rest)
            (next items)
            (stream-cons (car rest) (next (cdr rest)))))))

(define-stream (stream-iterate procedure first)
  "FIRST, PROCEDURE of that, and so on."
  (stream-cons first (stream-iterate procedure (procedure first))))

(define-stream (stream-unfold item more? next seed)
  "ITEM of SEED, of its NEXT, and so on, as long as MORE? holds."
  (if (more? seed)
      (stream-cons (item seed) (stream-unfold item more? next (next seed)))
      stream-null))

(define (stream-unfolds generate seed)
  "As many streams as GENERATE, called with a seed, gives values beside the next seed: each a list
of an element, #f for none now, or () for the end."
  (define results
    (stream-let next ((seed seed))
      (call-with-values (lambda () (generate seed))
        (lambda results (stream-cons (cdr results) (next (car results)))))))
  (define (column index)
    (stream-let next ((rows results))
      (let ((item (list-ref (stream-car rows) index)))
        (cond ((pair? item) (stream-cons (car item) (next (stream-cdr rows))))
              ((null? item) stream-null)
              (else (next (stream-cdr rows)))))))
  (apply values
         (let loop ((index (- (length (stream-car results)) 1)) (columns '()))
           (if (< index 0)
               columns
               (loop (- index 1) (cons (column index) columns))))))

;;; Parts

(define (stream-ref stream n)
  (check-count "stream-ref" n)
  (if (= n 0)
      (stream-car stream)
      (stream-ref (stream-cdr stream) (- n 1))))

(define (stream-length stream)
  (stream-fold (lambda (n _) (+ n 1)) 0 stream))

(define (stream-take n stream)
  (check-count "stream-take" n)
  (check-streams "stream-take" (list stream))
  (stream-let next ((n n) (stream stream))
    (if (or (= n 0) (stream-null? stream))
        stream-null
        (stream-cons (stream-car stream) (next (- n 1) (stream-cdr stream))))))

(define (stream-drop n stream)
  (check-count "stream-drop" n)
  (check-streams "stream-drop" (list stream))
  (stream-let next ((n n) (stream stream))
    (if (or (= n 0) (stream-null? stream))
        stream
        (next (- n 1) (stream-cdr stream)))))

(define (stream-take-while accept? stream)
  (check-streams "stream-take-while" (list stream))
  (stream-let next ((stream stream))
    (if (and (stream-pair? stream) (accept? (stream-car stream)))
        (stream-cons (stream-car stream) (next (stream-cdr stream)))
        stream-null)))

(define (stream-drop-while accept? stream)
  (check-streams "stream-drop-while" (list stream))
  (stream-let next ((stream stream))
    (if (and (stream-pair? stream) (accept? (stream-car stream)))
        (next (stream-cdr stream))
        stream)))

(define (stream-filter accept? stream)
  (check-streams "stream-filter" (list stream))
  (stream-let next ((stream stream))
    (cond ((stream-null? stream) stream-null)
          ((accept? (stream-car stream))
           (stream-cons (stream-car stream) (next (stream-cdr stream))))
          (else (next (stream-cdr stream))))))

;;; Over whole streams

(define (some? accept? items)
  (and (pair? items) (or (accept? (car items)) (some? accept? (cdr items)))))

(define (stream-fold procedure seed stream)
  (check-streams "stream-fold" (list stream))
  (if (stream-null? stream)
      seed
      (stream-fold procedure (procedure seed (stream-car stream)) (stream-cdr stream))))

(define (stream-for-each procedure . streams)
  (check-streams "stream-for-each" streams)
  (let loop ((streams streams))
    (unless (some? stream-null? streams)
      (apply procedure (map stream-car streams))
      (loop (map stream-cdr streams)))))

(define (stream-map procedure . streams)
  (check-streams "stream-map" streams)
  (stream-let next ((streams streams))
    (if (some? stream-null? streams)
        stream-null
        (stream-cons (apply procedure (map stream-car streams)) (next (map stream-cdr streams))))))

(define (stream-zip . streams)
  (check-streams "stream-zip" streams)
  (apply stream-map list streams))

(define (stream-scan procedure seed stream)
  "SEED, then what folding yields after each element."
  (check-streams "stream-scan" (list stream))
  (stream-let next ((seed seed) (stream stream))
    (if (stream-null? stream)
        (stream-cons seed stream-null)
        (stream-cons seed (next (procedure seed (stream-car stream)) (stream-cdr stream))))))

(define (stream-reverse stream)
  (check-streams "stream-reverse" (list stream))
  (stream-let loop ((stream stream) (result stream-null))
    (if (stream-null? stream)
        result
        (loop (stream-cdr stream) (let ((first (stream-car stream)) (rest result))
                                    (stream-cons first rest))))))

(define (stream-append . streams)
  (if (null? streams)
      stream-null
      (begin
        (check-streams "stream-append" streams)
        (stream-let next ((first (car streams)) (rest (cdr streams)))
          (cond ((null? rest) first)
                ((stream-null? first) (next (car rest) (cdr rest)))
                (else (stream-cons (stream-car first) (next (stream-cdr first) rest))))))))

(define (stream-concat streams)
  "The elements of a stream of streams."
  (check-streams "stream-concat" (list streams))
  (stream-let next ((streams streams))
    (if (stream-null? streams)
        stream-null
        (let inner ((first (stream-car streams)))
          (if (stream-null? first)
              (next (stream-cdr streams))
              (stream-cons (stream-car first) (%lazy (inner (stream-cdr first)))))))))
