# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What was found out about a file's content, kept between runs. A cache that is lost or damaged costs time alone."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import sqlite3
import stat
import sys
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any, TypeVar

from .index import Class, Fixture, Summary
from .model import Edit, Finding, Judged, Tally

#: Entries that no run has asked for in so many days are dropped.
_DAYS = 30


def default_path() -> Path | None:
    """Return where the cache is: in XDG_CACHE_HOME, or in ~/.cache; None for a user without a home."""
    base = os.environ.get("XDG_CACHE_HOME")
    try:
        return (Path(base) if base else Path.home() / ".cache") / "ready" / "gold-standards.sqlite"
    except RuntimeError:
        return None


def _own(path: Path) -> bool:
    """Tell whether nobody else can have written a file, or can put another one in its place.

    What is in the cache is believed, and its edits are made by --fix.
    """
    if not hasattr(os, "geteuid"):
        return True
    return all(_mine(os.stat(place)) for place in (path.parent, path) if os.path.lexists(place))


def _mine(status: os.stat_result) -> bool:
    others = stat.S_IWOTH | (0 if status.st_gid == os.getegid() else stat.S_IWGRP)
    return status.st_uid == os.geteuid() and not status.st_mode & others


@cache
def version() -> str:
    """Return what all results depend on: the analyser's own code, and the grammar of this Python."""
    digest = hashlib.sha256(f"{sys.version_info[:2]}".encode())
    for path in sorted(Path(__file__).parent.rglob("*.py")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


def key(kind: str, *parts: str) -> str:
    """Return the key of a result: what it is, and all that it depends on."""
    return hashlib.sha256("\0".join((version(), kind, *parts)).encode(errors="surrogatepass")).hexdigest()


class Cache:
    """Results by key, in a file; None as its path keeps nothing."""

    def __init__(self, path: Path | None) -> None:
        self._database = self._open(path) if path else None
        self._new: dict[str, str] = {}
        self._asked: set[str] = set()

    @staticmethod
    def _open(path: Path) -> sqlite3.Connection | None:
        for _ in range(2):
            try:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                if not _own(path):
                    return None
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
                database = sqlite3.connect(path, timeout=5)
                database.execute("create table if not exists kept (key text primary key, value text, used integer)")
                database.execute("select key, value, used from kept limit 0")
            except sqlite3.DatabaseError as error:  # not a database any more, or not this one: made again
                if isinstance(error, sqlite3.OperationalError) and "no such column" not in str(error):
                    return None  # locked, or read-only
                with contextlib.suppress(OSError):
                    path.unlink()
            except OSError:
                return None
            else:
                return database
        return None

    def get(self, keys: Iterable[str]) -> dict[str, Any]:
        """Return key -> result of what is kept."""
        found: dict[str, Any] = {}
        wanted = list(keys)
        if self._database is None:
            return found
        try:
            for start in range(0, len(wanted), 500):
                some = wanted[start : start + 500]
                rows = self._database.execute(
                    f"select key, value from kept where key in ({','.join('?' * len(some))})",  # noqa: S608
                    some,
                )
                found.update((name, json.loads(value)) for name, value in rows)
        except (sqlite3.DatabaseError, ValueError, TypeError, RecursionError):
            return {}
        self._asked.update(found)
        return found

    def put(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a result."""
        self._new[name] = json.dumps(value)

    def close(self) -> None:
        """Write what is new, and drop what is old."""
        if self._database is None:
            return
        now = int(time.time())
        with contextlib.suppress(sqlite3.DatabaseError), self._database as database:
            rows = [(name, value, now) for name, value in self._new.items()]
            database.executemany("insert or replace into kept values (?, ?, ?)", rows)
            database.executemany("update kept set used = ? where key = ?", [(now, name) for name in self._asked])
            database.execute("delete from kept where used < ?", (now - _DAYS * 86400,))
        self._database.close()


def from_summary(summary: Summary) -> dict[str, Any]:
    """Return a summary as data."""
    found = asdict(summary)
    for its in found["classes"].values():
        its["members"], its["methods"] = sorted(its["members"]), sorted(its["methods"])
    return found


def to_summary(data: Mapping[str, Any]) -> Summary:
    """Return the summary that data are."""
    classes = {
        name: Class(
            tuple(its["bases"]),
            tuple(its["decorators"]),
            frozenset(its["members"]),
            its["line"],
            frozenset(its["methods"]),
            None if its["parameters"] is None else tuple(its["parameters"]),
        )
        for name, its in data["classes"].items()
    }
    fixtures = {
        name: Fixture(**{**its, "requests": tuple(its["requests"]), "calls": tuple(its["calls"])})
        for name, its in data["fixtures"].items()
    }
    lists = {name: tuple(data[name]) for name in ("stars", "plugins", "others")}
    return Summary(**{**data, **lists, "classes": classes, "fixtures": fixtures})


_Kept = TypeVar("_Kept", Summary, Judged)


def believed(made: Callable[[Mapping[str, Any]], _Kept], data: Any, path: str) -> _Kept | None:
    """Return what is kept of a file, None where the data are of another form or of another file."""
    try:
        found = made(data)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None
    return found if found.path == path else None


def from_judged(judged: Judged) -> dict[str, Any]:
    """Return what rules say of a file as data."""
    return asdict(judged)


def _finding(data: Mapping[str, Any]) -> Finding:
    return Finding(**{**data, "edits": tuple(Edit(**edit) for edit in data["edits"])})


def to_judged(data: Mapping[str, Any]) -> Judged:
    """Return what rules say of a file, out of data."""
    return Judged(
        data["path"],
        data["lines"],
        [_finding(item) for item in data["findings"]],
        [(_finding(item), reason) for item, reason in data["allowed"]],
        {name: Tally(**tally) for name, tally in data["tallies"].items()},
    )
