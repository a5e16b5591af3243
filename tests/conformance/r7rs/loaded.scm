;;; Loaded by 6-14.scm.
(define loaded-value (* 6 7))
