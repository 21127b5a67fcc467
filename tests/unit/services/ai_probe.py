"""The AI service's probe with the keys of the stub, and what a check of it says that fails."""

from __future__ import annotations

from typing import Any

from ready.services.ai.probe import AIProbe

from tests.unit.ai_stub import KEYS

ENDPOINT, OURS = "fault of the endpoint: ", "fault on this side: "
#: Seconds for a step, and for a whole completion, of tests whose endpoint does not answer.
STEP, ANSWER = 1.0, 1.5


def probe(service: dict[str, Any], ca: str | None = None, timeout: float = STEP) -> AIProbe:
    """Return the probe, with the keys of the service's accounts."""
    return AIProbe(service, {name: KEYS[name] for name in service["accounts"]}, timeout, ca)


def detail(its: AIProbe, check: str) -> str:
    """Return what a check says that fails; it names no key and a next step."""
    its.checks = (check,)
    found = its.deep()[check]
    assert found["verdict"] == "fail", found
    said = str(found["detail"])
    assert not [name for name, key in KEYS.items() if key in said or key[-8:] in said], said
    assert said.count("Next: ") == 1, said
    return said
