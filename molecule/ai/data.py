"""How a test uses the AI service: it keeps nothing, so what was asked before is asked again."""

from __future__ import annotations

from typing import TYPE_CHECKING

import httpx

if TYPE_CHECKING:
    from tests.stack import Stack

SENTENCE = "An apple a day keeps the doctor away."


def _embedding(stack: Stack) -> list[float]:
    its = stack.settings("ai")
    answer = httpx.post(
        f"{its['OPENAI_BASE_URL']}/embeddings",
        headers={"Authorization": f"Bearer {its['OPENAI_API_KEY']}"},
        json={"model": its["OPENAI_EMBEDDING_MODEL"], "input": SENTENCE},
        verify=its.get("OPENAI_CA_FILE") or True,
        trust_env=False,
        timeout=30,
    )
    answer.raise_for_status()
    found: list[float] = answer.json()["data"][0]["embedding"]
    return found


def write(stack: Stack) -> None:
    """See that it answers; there is nothing to write."""
    assert len(_embedding(stack)) == 384


def check(stack: Stack) -> None:
    """See that it answers as the model does."""
    found = _embedding(stack)
    assert abs(sum(value * value for value in found) - 1) < 0.01
