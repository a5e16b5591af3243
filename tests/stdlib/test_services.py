"""Lists of services are changed as configurations for Guix change them."""

from __future__ import annotations

from pathlib import Path

import pytest

from lang.printer import write
from lang.session import Session

STDLIB = Path(__file__).parents[2] / "stdlib"

NAMES = "(map (lambda (s) (service-type-name (service-kind s))) {services})"


@pytest.mark.parametrize("modules", ["(gnu)", "(gnu) (srfi srfi-1)", "(srfi srfi-1) (gnu)"])
def test_modify_services_deletes_whatever_else_is_imported(modules: str) -> None:
    services = "(modify-services %base-services (delete udev-service-type))"
    text = f"(use-modules {modules}) {NAMES.format(services=services)}"
    assert write(Session([STDLIB]).eval_text(text)) == "(mingetty agetty sysctl)"


def test_modify_services_changes_values() -> None:
    text = """
    (use-modules (gnu) (srfi srfi-1))
    (define changed
      (modify-services %base-services
        (sysctl-service-type config =>
          (sysctl-configuration (inherit config)
            (settings (append '(("a" . "1")) (sysctl-configuration-settings config)))))))
    (sysctl-configuration-settings (service-value (last changed)))
    """
    assert write(Session([STDLIB]).eval_text(text)) == '(("a" . "1"))'
