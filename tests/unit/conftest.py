"""What the unit tests share: modules importable as on a target, and a resolved stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ansible.module_utils
import pytest
from ready.stack.definitions import load_definitions, resolve_stack

ROOT = Path(__file__).resolve().parents[2]
ansible.module_utils.__path__.append(str(ROOT / "module_utils"))

VARIABLES: dict[str, Any] = {
    "stack_name": "ready",
    "ready_services": ["postgresql", "neo4j", "chromadb", "redis"],
    "ready_bind_address": "127.0.0.1",
}


def resolved_stack(**variables: Any) -> dict[str, Any]:
    """Return a resolved stack with no secrets made yet: the default one, unless variables say otherwise."""
    resolved = resolve_stack(load_definitions(), VARIABLES | variables)
    for service in resolved["services"].values():
        service["config_hash"] = None
    return resolved | {"secrets": {"missing": []}}


@pytest.fixture
def stack() -> dict[str, Any]:
    """Return the default stack."""
    return resolved_stack()


@pytest.fixture
def whole_stack() -> dict[str, Any]:
    """Return a stack of every service there is a definition of."""
    return resolved_stack(ready_services=list(load_definitions()))
