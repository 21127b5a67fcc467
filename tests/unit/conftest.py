"""What the unit tests share: modules importable as on a target, and a resolved stack."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ansible.module_utils
import pytest
from ready.definitions import load_definitions, resolve_stack

ROOT = Path(__file__).resolve().parents[2]
ansible.module_utils.__path__.append(str(ROOT / "module_utils"))

VARIABLES: dict[str, Any] = {
    "stack_name": "ready",
    "ready_services": ["postgresql", "neo4j", "chromadb", "redis"],
    "ready_bind_address": "127.0.0.1",
}


@pytest.fixture
def stack() -> dict[str, Any]:
    """Return the default stack, resolved, with no secrets made yet."""
    resolved = resolve_stack(load_definitions(), VARIABLES)
    for service in resolved["services"].values():
        service["config_hash"] = None
    return resolved | {"secrets": {"missing": []}}
