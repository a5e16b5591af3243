;;; (srfi srfi-4): vectors of numbers of one kind. Those of u8 are bytevectors; the others are
;;; typed arrays of one dimension, written #s16(1 2).

(define-module (srfi srfi-4)
  #:use-module (rnrs bytevectors)
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

;;; The other kinds

(define-syntax define-kinds
  (syntax-rules ()
    ((_ (tag make from-arguments is? length ref set to-list from-list) ...)
     (begin
       (define-kind tag make from-arguments is? length ref set to-list from-list)
       ...))))

(define-syntax define-kind
  (syntax-rules ()
    ((_ tag make from-arguments is? length ref set to-list from-list)
     (begin
       (define* (make count #:optional (fill 0)) (make-typed-array 'tag fill count))
       (define (from-list numbers) (list->typed-array 'tag 1 numbers))
       (define (from-arguments . numbers) (from-list numbers))
       (define (is? obj) (and (typed-array? obj 'tag) (= (array-rank obj) 1)))
       (define (checked obj)
         (unless (is? obj)
           (scm-error 'wrong-type-arg 'is? "a vector of ~A is expected, not ~S" (list 'tag obj) #f))
         obj)
       (define (length numbers) (array-length (checked numbers)))
       (define (ref numbers index) (array-ref (checked numbers) index))
       (define (set numbers index x) (array-set! (checked numbers) x index))
       (define (to-list numbers) (array->list (checked numbers)))))))

(define-kinds
  (s8
   make-s8vector s8vector s8vector? s8vector-length
   s8vector-ref s8vector-set! s8vector->list list->s8vector)
  (u16
   make-u16vector u16vector u16vector? u16vector-length
   u16vector-ref u16vector-set! u16vector->list list->u16vector)
  (s16
   make-s16vector s16vector s16vector? s16vector-length
   s16vector-ref s16vector-set! s16vector->list list->s16vector)
  (u32
   make-u32vector u32vector u32vector? u32vector-length
   u32vector-ref u32vector-set! u32vector->list list->u32vector)
  (s32
   make-s32vector s32vector s32vector? s32vector-length
   s32vector-ref s32vector-set! s32vector->list list->s32vector)
  (u64
   make-u64vector u64vector u64vector? u64vector-length
   u64vector-ref u64vector-set! u64vector->list list->u64vector)
  (s64
   make-s64vector s64vector s64vector? s64vector-length
   s64vector-ref s64vector-set! s64vector->list list->s64vector)
  (f32
   make-f32vector f32vector f32vector? f32vector-length
   f32vector-ref f32vector-set! f32vector->list list->f32vector)
  (f64
   make-f64vector f64vector f64vector? f64vector-length
   f64vector-ref f64vector-set! f64vector->list list->f64vector))
