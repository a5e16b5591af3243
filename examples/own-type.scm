;; An image type of one's own: a disk with firmware at a fixed place, a root that grows with the
;; disk, and a file system for data.
;; kiln image examples/own-type.scm

(use-modules (gnu) (gnu image) (gnu system image))

;; What a board's ROM reads: here, a text in its place.
(define firmware
  (partition
   (name "firmware")
   (file-system "unformatted")
   (offset (* 32 1024))
   (size (* 512 1024))
   (flags '(no-auto))
   (initializer (plain-file "firmware.bin" "the board starts here\n"))))

;; The EFI system partition, with a file beside the boot loader.
(define esp
  (partition
   (inherit esp-partition)
   (size (* 64 1024 1024))
   (initializer
    #~(lambda (root . options)
        (apply initialize-efi-partition root options)
        (call-with-output-file (string-append root "/board.txt")
          (lambda (port) (display "console=serial\n" port)))))))

(define data
  (partition
   (label "data")
   (size (* 64 1024 1024))
   (file-system-options '("-m" "0" "-O" "^has_journal"))
   (initializer
    #~(lambda (root)
        (mkdir-p (string-append root "/incoming"))
        (call-with-output-file (string-append root "/README")
          (lambda (port) (display "Put your files here.\n" port)))
        ;; a file from the store, with all that it refers to
        (register-closure root #$(plain-file "terms" "Be kind.\n"))))))

(define root
  (partition
   (inherit root-partition)
   (flags '(boot grow))
   (initializer (gexp initialize-root-partition))))

(define board-image-type
  (image-type
   (name 'board)
   (description "a disk for a board, with a partition for data")
   (constructor
    (lambda (os)
      (image (inherit (image-with-os efi-disk-image os))
             (name 'board)
             (partitions (list firmware esp data root)))))))

(define bare-bones
  (primitive-load (string-append (dirname (current-filename)) "/bare-bones.scm")))

(define os
  (operating-system
   (inherit bare-bones)
   (file-systems (cons (file-system
                         (device (file-system-label "data"))
                         (mount-point "/srv")
                         (type "ext4")
                         (create-mount-point? #t))
                       (operating-system-file-systems bare-bones)))))

(os->image os #:type board-image-type)
