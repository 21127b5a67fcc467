"""Names on the host that one checkout alone uses: two that are tested on one machine do not touch each other's."""

from __future__ import annotations

import hashlib
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
#: Four hexadecimal digits of the checkout's path; .config/molecule has the same as `_own`.
CHECKOUT = hashlib.sha1(str(ROOT).encode()).hexdigest()[:4]  # noqa: S324  # a name, no secret


def own(name: str) -> str:
    """Return a name of a stack, container or file that no other checkout on this machine uses."""
    return f"{name}-{CHECKOUT}"
