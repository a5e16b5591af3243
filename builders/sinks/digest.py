"""The hash of the file that a plan would be, without writing it."""

from __future__ import annotations

import hashlib

from builders.plan import Plan
from builders.sinks import raw, stream


def sha256(plan: Plan, real: raw.Real) -> str:
    """The SHA-256 of the plan's raw image, in hex. Raises SourceMissing, SourceChanged, OSError."""
    digest = hashlib.sha256()
    for block in stream.blocks(plan, real):
        digest.update(block)
    return digest.hexdigest()
