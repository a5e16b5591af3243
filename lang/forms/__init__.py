"""The forms that are expanded natively. Importing this package fills lang.expand.FORMS."""

from lang.forms import (
    conditions,
    control,
    core,
    definitions,
    gexp,
    guix_records,
    load_path,
    macros,
    match,
    modules,
    quasiquote,
    record_procedures,
    records,
    srfi,
    support,
)

NATIVE = (
    *(core, definitions, macros, modules, control, quasiquote, match),
    *(records, guix_records, srfi, conditions, gexp, load_path),
)
"""The modules that define forms."""
SUPPORT = (support.LIBRARY, record_procedures.LIBRARY, gexp.LIBRARY)
"""The procedures that expanded code calls."""
