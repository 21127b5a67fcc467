# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every part is given, and the form of what it finds."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, unquote, urlsplit

PASS, FAIL, UNKNOWN = "pass", "fail", "insufficient_data"
#: Characters of a text that is shown; how long a secret is at least: shorter ones stand in words that are none.
LONGEST, _SHORTEST = 300, 6
#: Settings that hold a secret.
_SECRET = re.compile(r"PASSWORD|TOKEN|SECRET|_KEY$|^KEY")
REDACTED = "[secret]"
#: The next step after a part that had too little time.
MORE_TIME = "Next: --time-limit with more seconds"


@dataclass
class Context:
    """One run.

    Attributes:
        settings: names as `./ready env --for container --secrets` gives them -> values.
        prefix: what everything that the run writes is named after.
        word: drawn at random for this run.
        deadline: the moment of `time.monotonic` at which the run ends.
        tokens: how many an external AI endpoint may use in this run.
        seed: of everything else that is drawn at random.
    """

    settings: Mapping[str, str]
    prefix: str
    word: str
    deadline: float
    tokens: int = 20000
    seed: int = 0

    @property
    def left(self) -> float:
        """Seconds until the run ends; never below zero."""
        return max(0.0, self.deadline - time.monotonic())

    @property
    def label(self) -> str:
        """Label of nodes in Neo4j: the prefix in CamelCase."""
        return "".join(part.capitalize() for part in self.prefix.split("_"))

    def clean(self, text: object) -> str:
        """Return a text in one line, without the secrets of the settings, of at most LONGEST characters."""
        line = " ".join(str(text).split())
        for secret in sorted(set(_secrets(self.settings)), key=len, reverse=True):
            line = line.replace(secret, REDACTED)
        return line if len(line) <= LONGEST else f"{line[: LONGEST - 1]}…"

    def say(self, text: str) -> None:
        """Print a line."""
        sys.stdout.write(f"{self.clean(text)}\n")
        sys.stdout.flush()


def _secrets(settings: Mapping[str, str]) -> Iterator[str]:
    """Yield every secret, also as it is quoted in a URL."""
    for name, value in settings.items():
        found = [value] if _SECRET.search(name) else []
        if "://" in value:
            password = urlsplit(value).password or ""
            found += [password, unquote(password)]
        for secret in found:
            if len(secret) >= _SHORTEST:
                yield secret
                yield quote(secret, safe="")


def finding(id: str, verdict: str, detail: str = "", **figures: Any) -> dict[str, Any]:  # noqa: A002 - as it is written
    """Return one thing that was looked at."""
    return {"id": id, "verdict": verdict, "detail": detail, **figures}


def worst(verdicts: Iterable[str]) -> str:
    """Return the verdict of several: what fails wins over what is not known; of none, nothing is known."""
    every = set(verdicts)
    return next((verdict for verdict in (FAIL, UNKNOWN, PASS) if verdict in every), UNKNOWN)


def part(findings: list[dict[str, Any]], **figures: Any) -> dict[str, Any]:
    """Return the result of a part: the worst verdict of its findings, with the details of what does not pass."""
    detail = "; ".join(item["detail"] for item in findings if item["verdict"] != PASS and item["detail"])
    return {"verdict": worst(item["verdict"] for item in findings), "detail": detail, "findings": findings, **figures}
