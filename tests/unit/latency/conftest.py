"""The stack that tests of latency measure."""

from __future__ import annotations

from typing import Any

import pytest
from ready.stack.definitions import load_definitions, resolve_stack


@pytest.fixture
def stack() -> dict[str, Any]:
    """Return a stack of Redis alone."""
    variables = {"stack_name": "ready", "ready_services": ["redis"], "ready_bind_address": "127.0.0.1"}
    return resolve_stack(load_definitions(), variables)
