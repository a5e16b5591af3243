;;; Included by 4-1.scm with include-ci.
(DEFINE FOLDED 'MixedCase)
