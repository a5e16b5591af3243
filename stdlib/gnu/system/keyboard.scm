;;; Keyboard layouts.
(define-module (gnu system keyboard)
  #:use-module (srfi srfi-9)
  #:export (keyboard-layout keyboard-layout? keyboard-layout-name keyboard-layout-variant
            keyboard-layout-model keyboard-layout-options keyboard-layout->text))

(define-record-type <keyboard-layout>
  (make-keyboard-layout name variant model options)
  keyboard-layout?
  (name keyboard-layout-name)
  (variant keyboard-layout-variant)
  (model keyboard-layout-model)
  (options keyboard-layout-options))

(define* (keyboard-layout name #:optional (variant #f) #:key (model "pc105") (options '()))
  "The keyboard layout called NAME in XKB, such as \"de\" or \"us\"."
  (unless (string? name)
    (error "keyboard-layout: the layout is a string such as \"us\", not" name))
  (make-keyboard-layout name variant model options))

(define (keyboard-layout->text layout)
  "LAYOUT as keyboard(5) has it."
  (string-append "XKBMODEL=\"" (keyboard-layout-model layout) "\"\n"
                 "XKBLAYOUT=\"" (keyboard-layout-name layout) "\"\n"
                 "XKBVARIANT=\"" (or (keyboard-layout-variant layout) "") "\"\n"
                 "XKBOPTIONS=\"" (string-join (keyboard-layout-options layout) ",") "\"\n"
                 "BACKSPACE=\"guess\"\n"))
