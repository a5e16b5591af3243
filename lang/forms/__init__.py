"""The forms that are expanded natively. Importing this package fills lang.expand.FORMS."""

from lang.forms import (
    control,
    core,
    definitions,
    guix_records,
    macros,
    match,
    modules,
    quasiquote,
    record_procedures,
    records,
    support,
)

NATIVE = (core, definitions, macros, modules, control, quasiquote, match, records, guix_records)
"""The modules that define forms."""
SUPPORT = (support.LIBRARY, record_procedures.LIBRARY)
"""The procedures that expanded code calls."""
