;;; Modules for builds.
(define-module (guix modules)
  #:export (source-module-closure))

(define* (source-module-closure modules #:optional (load-path '()))
  "MODULES, names of modules, for with-imported-modules: builds have what a module needs itself."
  modules)
