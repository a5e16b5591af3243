;;; (srfi srfi-4): vectors of numbers of one kind. Those of u8 are bytevectors; the others are
;;; records that hold a vector, and have no written form that can be read back.

(define-module (srfi srfi-4)
  #:use-module (rnrs bytevectors)
  #:use-module (srfi srfi-9)
  #:use-module (srfi srfi-9 gnu)
  #:export (make-u8vector u8vector u8vector? u8vector-length
            u8vector-ref u8vector-set! u8vector->list list->u8vector
            make-s8vector s8vector s8vector? s8vector-length
            s8vector-ref s8vector-set! s8vector->list list->s8vector
            make-u16vector u16vector u16vector? u16vector-length
            u16vector-ref u16vector-set! u16vector->list list->u16vector
            make-s16vector s16vector s16vector? s16vector-length
            s16vector-ref s16vector-set! s16vector->list list->s16vector
            make-u32vector u32vector u32vector? u32vector-length
            u32vector-ref u32vector-set! u32vector->list list->u32vector
            make-s32vector s32vector s32vector? s32vector-length
            s32vector-ref s32vector-set! s32vector->list list->s32vector
            make-u64vector u64vector u64vector? u64vector-length
            u64vector-ref u64vector-set! u64vector->list list->u64vector
            make-s64vector s64vector s64vector? s64vector-length
            s64vector-ref s64vector-set! s64vector->list list->s64vector
            make-f32vector f32vector f32vector? f32vector-length
            f32vector-ref f32vector-set! f32vector->list list->f32vector
            make-f64vector f64vector f64vector? f64vector-length
            f64vector-ref f64vector-set! f64vector->list list->f64vector))

;;; u8

(define* (make-u8vector count #:optional (fill 0))
  (make-bytevector count fill))
(define (u8vector . numbers) (u8-list->bytevector numbers))
(define u8vector? bytevector?)
(define u8vector-length bytevector-length)
(define u8vector-ref bytevector-u8-ref)
(define u8vector-set! bytevector-u8-set!)
(define u8vector->list bytevector->u8-list)
(define list->u8vector u8-list->bytevector)

;;; What the other kinds hold: procedures that give a number as it is kept, or an error

(define (integers least greatest)
  (lambda (x)
    (unless (and (exact-integer? x) (<= least x greatest))
      (error (format #f "an exact integer from ~a to ~a is expected, not" least greatest) x))
    x))

(define (double x)
  (unless (real? x)
    (error "a real number is expected, not" x))
  (exact->inexact x))

(define (single x)
  (let ((bytes (make-bytevector 4)))
    (bytevector-ieee-single-native-set! bytes 0 (double x))
    (bytevector-ieee-single-native-ref bytes 0)))

(define-syntax define-kinds
  (syntax-rules ()
    ((_ (tag element make from-arguments is? length ref set to-list from-list) ...)
     (begin
       (define-kind tag element make from-arguments is? length ref set to-list from-list)
       ...))))

(define-syntax define-kind
  (syntax-rules ()
    ((_ tag element make from-arguments is? length ref set to-list from-list)
     (begin
       (define kept element)
       (define-record-type <numbers>
         (wrap items)
         is?
         (items items-of))
       (set-record-type-printer! <numbers>
         (lambda (numbers port)
           (format port "#~a~s" tag (vector->list (items-of numbers)))))
       (define* (make count #:optional (fill 0))
         (wrap (make-vector count (kept fill))))
       (define (from-list numbers)
         (wrap (list->vector (map kept numbers))))
       (define (from-arguments . numbers) (from-list numbers))
       (define (length numbers) (vector-length (items-of numbers)))
       (define (ref numbers index) (vector-ref (items-of numbers) index))
       (define (set numbers index x) (vector-set! (items-of numbers) index (kept x)))
       (define (to-list numbers) (vector->list (items-of numbers)))))))

(define-kinds
  ("s8" (integers -128 127)
   make-s8vector s8vector s8vector? s8vector-length
   s8vector-ref s8vector-set! s8vector->list list->s8vector)
  ("u16" (integers 0 65535)
   make-u16vector u16vector u16vector? u16vector-length
   u16vector-ref u16vector-set! u16vector->list list->u16vector)
  ("s16" (integers -32768 32767)
   make-s16vector s16vector s16vector? s16vector-length
   s16vector-ref s16vector-set! s16vector->list list->s16vector)
  ("u32" (integers 0 (- (expt 2 32) 1))
   make-u32vector u32vector u32vector? u32vector-length
   u32vector-ref u32vector-set! u32vector->list list->u32vector)
  ("s32" (integers (- (expt 2 31)) (- (expt 2 31) 1))
   make-s32vector s32vector s32vector? s32vector-length
   s32vector-ref s32vector-set! s32vector->list list->s32vector)
  ("u64" (integers 0 (- (expt 2 64) 1))
   make-u64vector u64vector u64vector? u64vector-length
   u64vector-ref u64vector-set! u64vector->list list->u64vector)
  ("s64" (integers (- (expt 2 63)) (- (expt 2 63) 1))
   make-s64vector s64vector s64vector? s64vector-length
   s64vector-ref s64vector-set! s64vector->list list->s64vector)
  ("f32" single
   make-f32vector f32vector f32vector? f32vector-length
   f32vector-ref f32vector-set! f32vector->list list->f32vector)
  ("f64" double
   make-f64vector f64vector f64vector? f64vector-length
   f64vector-ref f64vector-set! f64vector->list list->f64vector))
