;;; (run FILE): loads a suite of SRFI 64 and prints its failures, then how many checks passed.
;;; Works in Kiln and in Guile: the judge of the suite itself.

(use-modules (srfi srfi-64))

(define (run file)
  (let ((runner (test-runner-null)))
    (test-runner-on-test-end! runner
      (lambda (runner)
        (unless (memq (test-result-kind runner) '(pass xfail skip))
          (write (list (test-runner-test-name runner)
                       (test-result-ref runner 'source-form)
                       (test-result-ref runner 'actual-value)
                       (test-result-ref runner 'actual-error)))
          (newline))))
    (test-with-runner runner (load file))
    (list (test-runner-pass-count runner)
          (+ (test-runner-fail-count runner) (test-runner-xpass-count runner)))))
