"""Parameters whose rules run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from kailash.nodes.base import NodeParameter
from pydantic import Field, field_validator

from governed.rules import RULES, USUAL, InjectionError


class SafeParameter(NodeParameter):
    """A parameter of a node, with rules for the texts in its value, at whatever depth.

    Attributes:
        rules: names of `governed.rules.RULES`; without it all that find code in honest text.
        longest: characters that a text may have.
    """

    rules: list[str] = Field(default_factory=lambda: list(USUAL), min_length=1)
    longest: int = Field(default=10_000, gt=0)

    @field_validator("rules")
    @classmethod
    def _known(cls, value: list[str]) -> list[str]:
        """Refuse rules that nobody would run."""
        if unknown := sorted(set(value) - set(RULES)):
            raise ValueError(f"found the rules {', '.join(unknown)}; expected some of {', '.join(RULES)}")
        return value

    def check(self, value: object) -> None:
        """Raise InjectionError for a value that a rule rejects."""
        if self.choices is not None and value not in self.choices:
            raise InjectionError(f"{self.name}: found a value that is none of its {len(self.choices)} choices")
        for text in texts(value):
            if len(text) > self.longest:
                raise InjectionError(f"{self.name}: found {len(text)} characters, expected at most {self.longest}")
            for name in self.rules:
                if reason := RULES[name](text):
                    raise InjectionError(f"{self.name}: rule {name}: found {reason}")


def texts(value: object) -> Iterator[str]:
    """Yield all texts in a value: keys and items of containers too. Bytes count as the text that they are."""
    waiting: list[Any] = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, str):
            yield item
        elif isinstance(item, bytes | bytearray):
            yield bytes(item).decode("utf-8", errors="replace")
        elif isinstance(item, Mapping):
            waiting.extend((*item.keys(), *item.values()))
        elif isinstance(item, list | tuple | set | frozenset):
            waiting.extend(item)
