# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Why a test, or a file of tests, could not be executed: by the exceptions that pytest saw."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

IMPORT, WINDOWS_ONLY, UNIX_ONLY = "import_error", "windows_only_import", "unix_only_import"
SERVICE, DENIED = "service_missing", "service_denied"
COLLECTION, FIXTURE, TIMEOUT, CRASH = "collection_error", "fixture_error", "timeout", "crash"
NOT_REACHED, NOT_COLLECTED, NO_PYTEST = "not_reached", "not_collected", "no_pytest"
#: Reason -> what it is called in the table.
TITLES = {
    IMPORT: "import error",
    WINDOWS_ONLY: "import that only Windows has",
    UNIX_ONLY: "import that only Unix has",
    SERVICE: "service not reached",
    DENIED: "refused by a service",
    COLLECTION: "collection error",
    FIXTURE: "fixture error",
    TIMEOUT: "time limit",
    CRASH: "ended pytest",
    NOT_REACHED: "not reached",
    NOT_COLLECTED: "not collected by pytest",
    NO_PYTEST: "no pytest was run",
}
_WINDOWS = frozenset(["_winapi", "msvcrt", "winreg", "winsound", "win32api", "win32con", "pywintypes"])
_UNIX = frozenset(["fcntl", "grp", "posix", "pty", "pwd", "resource", "spwd", "syslog", "termios", "tty", "crypt"])
_TIMEOUT = re.compile(r"Timeout \(?>[\d.]+s")
_AWAY = re.compile(
    r"(?i)connection refused|errno 111|connect call failed|could not (?:be )?connect|couldn't connect|cannot connect|"
    r"name or service not known|temporary failure in name resolution|nodename nor servname|no route to host|"
    r"network is unreachable|failed to establish|could not translate host name|all connection attempts failed|"
    r"connection to server .* failed|connection timed out|timed? ?out connecting|unable to retrieve routing"
)
_DENIED = re.compile(
    r"(?i)password authentication failed|no password supplied|permission denied (?:to|for)|must be superuser|noauth|"
    r"wrongpass|noperm|no permissions to|invalid username-password|unauthorized|invalid api key|"
    r"authentication failure|incorrect api key"
)
_AWAY_TYPES = frozenset(("ConnectionRefusedError", "gaierror", "ServiceUnavailable", "APIConnectionError"))
_DENIED_TYPES = frozenset(("InsufficientPrivilege", "InsufficientPrivilegeError", "AuthenticationError", "AuthError"))
#: Beginning of an exception's module -> whose driver it is.
_DRIVERS = {
    "psycopg": "PostgreSQL", "asyncpg": "PostgreSQL", "redis": "Redis", "neo4j": "Neo4j", "chromadb": "ChromaDB",
    "openai": "the AI service",
}  # fmt: skip
_PORTS = {"5432": "PostgreSQL", "6379": "Redis", "7687": "Neo4j", "7474": "Neo4j", "8000": "ChromaDB"}


class Why(NamedTuple):
    """A reason, and what was found."""

    reason: str
    detail: str


def classify(chain: Sequence[Mapping[str, Any]], text: str, phase: str) -> Why | None:
    """Return why a phase (`collect`, `setup` or `call`) kept a test from being executed, None where the test failed.

    Args:
        chain: the exceptions, outermost first, as the plugin wrote them; empty where pytest kept a text alone.
        text: the end of pytest's own text.
        phase: what was being done.
    """
    chain = [_plain(its) for its in chain] or _from_text(text)
    if not chain:
        return _of_phase(phase, _last_line(text))
    for its in (its for its in chain if its.get("caused", True)):
        if its["type"] in ("ModuleNotFoundError", "ImportError"):
            return _import(its)
    first = chain[0]
    if _TIMEOUT.search(first["message"]):
        return Why(TIMEOUT, _one_line(first["message"]))
    if first["type"] != "AssertionError":
        for types, pattern, reason in ((_DENIED_TYPES, _DENIED, DENIED), (_AWAY_TYPES, _AWAY, SERVICE)):
            for its in chain:
                if its["type"] in types or pattern.search(its["message"]):
                    return Why(reason, f"{_whose(chain)}{its['type']}: {_one_line(its['message'])}")
    inner = [its for its in chain if its.get("caused", True)][-1]
    if inner["type"] == "FixtureLookupError" and (name := re.search(r"'(\w+)'", inner["message"])):
        return _of_phase(phase, f"there is no fixture {name[1]}")
    return _of_phase(phase, f"{inner['type']}: {_one_line(inner['message'])}")


def _import(its: Mapping[str, Any]) -> Why:
    name = str(its.get("name") or "").partition(".")[0]
    if its["type"] == "ModuleNotFoundError" and name in _WINDOWS:
        return Why(WINDOWS_ONLY, f"{name}: {_one_line(its['message'])}")
    if its["type"] == "ModuleNotFoundError" and name in _UNIX:
        return Why(UNIX_ONLY, f"{name}: {_one_line(its['message'])}")
    return Why(IMPORT, _one_line(its["message"]))


def _of_phase(phase: str, detail: str) -> Why | None:
    reason = {"collect": COLLECTION, "setup": FIXTURE}.get(phase)
    return Why(reason, detail) if reason else None


def _whose(chain: Sequence[Mapping[str, Any]]) -> str:
    for its in chain:
        for module, name in _DRIVERS.items():
            if str(its["module"]).partition(".")[0].startswith(module):
                return f"{name}: "
    for its in chain:
        for port in re.findall(r"(?<!\d)\d{4}(?!\d)", its["message"]):
            if port in _PORTS:
                return f"{_PORTS[port]}: "
    return ""


def _plain(its: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return an exception whose text is another one's traceback, as testtools makes them, as that one."""
    if "Traceback (most recent call last)" not in its["message"]:
        return its
    found = re.findall(r"(?m)^([A-Za-z_][\w.]*)(?:: (.*))?$", its["message"])
    if not found:
        return its
    name, message = found[-1]
    module = re.search(r"No module named '([^']+)'", message)
    return {
        **its,
        "type": name.rpartition(".")[2],
        "module": name.rpartition(".")[0],
        "message": message,
        "name": module[1] if module else None,
    }


def _from_text(text: str) -> list[dict[str, Any]]:
    """Return the exceptions that a text of pytest's names, the last one first."""
    found = re.findall(r"(?m)^E\s+([\w.]+(?:Error|Exception|Exit|Unavailable|Failed)): (.*)$", text)
    return [
        {
            "type": name.rpartition(".")[2],
            "module": name.rpartition(".")[0],
            "message": message,
            "name": next(iter(re.findall(r"No module named '([^']+)'", message)), None),
        }
        for name, message in reversed(found)
    ]


def _last_line(text: str) -> str:
    return next((_one_line(line) for line in reversed(text.splitlines()) if line.strip()), "")


def _one_line(text: str) -> str:
    return " ".join(text.split())[:200]
