# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Explain a failed build of an image: its cause, the lines that show it, the next step."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from ..common.known_errors import KnownError, first_match

#: The first one that matches counts: a full disk makes downloads fail, too.
_CAUSES = (
    KnownError(
        "No space left on device|no space left on device|disk quota exceeded",
        "disk full",
        "free some disk space (docker system df shows what images take)",
        ignore_case=False,
    ),
    KnownError(
        "DO NOT MATCH THE HASHES|Hash Sum mismatch|hash mismatch:|computed checksum did NOT match",
        "hash mismatch",
        "what was downloaded is not what is pinned; look at the package index or proxy in between",
        ignore_case=False,
    ),
    KnownError(
        "CERTIFICATE_VERIFY_FAILED|PKIX path building|certificate verif|server certificate",
        "certificate not trusted",
        "point SSL_CERT_FILE on that host at your CA bundle",
        ignore_case=False,
    ),
    KnownError(
        "Failed to fetch|Could not resolve|Temporary failure resolving|Could not connect|Unable to connect"
        "|Connection refused|Connection timed out|NewConnectionError|ConnectTimeout|Max retries|Could not transfer"
        "|Unknown host|Network is unreachable|Couldn't download|Failed getting release file|Unable to locate package"
        "|Read timed out|Remote end closed",
        "package index not reachable",
        "check that host's network, proxy and package settings",
        ignore_case=False,
    ),
    KnownError(
        "No matching distribution",
        "package not found",
        "check its name and version, and which package index that host uses",
        ignore_case=False,
    ),
)
_KNOWN = re.compile("|".join(error.pattern for error in _CAUSES))
_ERROR = re.compile(
    r"(?i)\berror\b|^E: |\bfatal\b|\bfail(ed|ure)\b|exception\b|caused by|cannot|can't|denied|not found|no such|in use|"
    r"killed"
)
#: A JVM that makes an archive of classes warns of each it leaves out; pip tells of each attempt.
_NOISE = re.compile(r"\[warning\s*\]|WARNING: Retrying")
#: How many lines of an output are kept while it runs, and how many of them a message has.
KEPT, SHOWN = 400, 12
AGAIN = "run again: finished steps are kept"


class BuildError(Exception):
    """A build that failed; `kind` is the cause, the message has found, expected and the next step."""

    def __init__(self, kind: str, message: str) -> None:
        self.kind = kind
        super().__init__(message)


def without_url_credentials(text: str) -> str:
    """Return output without the user and password that an address in it may hold."""
    return re.sub(r"(\w+://)[^/\s:@]+:[^/\s@]+@", r"\1***@", text)


def relevant_lines(lines: Sequence[str], count: int) -> list[str]:
    """Return the lines of an output that say why it ended, in their order, `count` at most.

    First come those that name a known cause, then other errors, then any; warnings of a JVM last. Of equals, the later.
    """

    def rank(number: int) -> tuple[int, int]:
        line = lines[number]
        if _NOISE.search(line):
            return 3, -number
        return next((at for at, pattern in enumerate((_KNOWN, _ERROR)) if pattern.search(line)), 2), -number

    return [lines[number] for number in sorted(sorted(range(len(lines)), key=rank)[:count])]


def explain(host: str, name: str, step: str, tail: Iterable[str]) -> BuildError:
    """Return the failure of a step by its cause, with the lines that say why and the last one."""
    printed = [without_url_credentials(line) for line in tail if line.strip()]
    lines = [*relevant_lines(printed[:-1], SHOWN - 1), *printed[-1:]]
    output = "\n".join(lines)
    known = first_match(_CAUSES, output)
    kind, advice = (known.cause, known.next) if known else ("build step failed", "the lines below say why")
    message = f"{host}: building image {name}, {step}: {kind}. Next: {advice}; then {AGAIN}."
    return BuildError(kind, message + "".join(f"\n  | {line}" for line in lines))


def daemon_gone(host: str, name: str, step: str, error: object) -> BuildError:
    """Return the failure of a build whose daemon went away."""
    return BuildError(
        "docker daemon gone",
        f"{host}: building image {name}, {step}: the Docker daemon stopped answering "
        f"({without_url_credentials(str(error))}). "
        f"Next: start Docker, then {AGAIN}.",
    )
