"""The toy, as an application."""

from __future__ import annotations

from tests.hardening import assert_hardened
from tests.stack import molecule_stack

STACK = molecule_stack(["toy"])


def test_data() -> None:
    """The word is written and read."""
    STACK.write("toy")
    STACK.check("toy")


def test_hardened() -> None:
    """Non-root, no capabilities, read-only, limited."""
    assert_hardened(STACK, "toy")
