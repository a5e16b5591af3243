"""The forms that are expanded natively. Importing this package fills lang.expand.FORMS."""

from lang.forms import control, core, definitions, macros, modules, quasiquote

NATIVE = (core, definitions, macros, modules, control, quasiquote)
"""The modules that define forms."""
