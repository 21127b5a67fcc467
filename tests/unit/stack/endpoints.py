"""Endpoints of an AI service elsewhere, and stacks that use them."""

from __future__ import annotations

from typing import Any

import pytest
from ready.stack.definitions import DefinitionError, load_definitions, resolve_stack

KEY = "sk-proj/a+b=c~9Xk3vQ9mT2bLw7RzN5cHs8JdF4gYp6AeU"
GOOD = {"base_url": "https://api.example.org/v1", "chat": "gpt-x", "embedding": "embed-x", "dimensions": 3}
AZURE = {"base_url": "https://name.openai.azure.com", "api_version": "2024-10-21", "chat": "my-chat"}
VARIABLES: dict[str, Any] = {"stack_name": "ready", "ready_services": ["ai"], "ready_bind_address": "127.0.0.1"}
EMPTY: dict[str, Any] = {"services": {}, "others": [], "volumes": {}, "reachable": True}


def resolve(**endpoint: Any) -> dict[str, Any]:
    """Return the stack whose AI service is at this endpoint."""
    return resolve_stack(load_definitions(), VARIABLES | {"ai_backend": "external", "ai_endpoint": endpoint})


def faults(**endpoint: Any) -> str:
    """Return what is wrong with it."""
    with pytest.raises(DefinitionError) as refused:
        resolve(**endpoint)
    return str(refused.value)
