"""ansible-playbook for tests that call it often: started once for all of them (tools/testing/warm.py)."""

from __future__ import annotations

import atexit
from contextlib import ExitStack
from functools import cache

from tools.testing.warm import PROGRAM, ansible


@cache
def program() -> str:
    """Return the path of an ansible-playbook that needs no start of its own; it ends with the tests."""
    stack = ExitStack()
    atexit.register(stack.close)
    return str(stack.enter_context(ansible()) / PROGRAM.name)
