"""The AI stub that tests of services ask."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit import ai_stub
from tests.unit.ai_stub import Stub


@pytest.fixture
def stub() -> Iterator[Stub]:
    """Return an endpoint."""
    with ai_stub.running() as (found, _):
        yield found
