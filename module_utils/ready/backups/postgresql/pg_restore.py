# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run pg_restore past entries that fail, and retry those with the database's own search_path.

pg_restore sets `search_path = ''`; what fails with that may well succeed with the search_path that the database has.
From PostgreSQL 17 on that no longer helps an index or a materialized view: they always get a safe one.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from ...common.output_excerpt import excerpt
from ...docker import execute
from ..manifest import BackupError
from .psql import target
from .redacted_output import without_rows

if TYPE_CHECKING:
    from docker.models.containers import Container

_ENTRY = re.compile(r"^pg_restore: from TOC entry (\d+); \d+ \d+ (.*)$")
_ERROR = re.compile(r"^pg_restore: error: (.*)$")
_CONTEXT = re.compile(r"^CONTEXT:\s+(.*)$")
_IGNORED = "errors ignored on restore: "
_LISTED = re.compile(r"^(\d+); \d+ \d+ (.*)$", re.MULTILINE)
#: Of a file ($1), one entry ($2) into a database ($3), with that one's own search_path.
_RETRY = r"""
set -euo pipefail
pg_restore -L <(pg_restore -l "$1" | grep "^$2; ") -f - "$1" |
  sed "0,/^SELECT pg_catalog.set_config('search_path', '', false);\$/{//d}" |
  psql -XqAtw -v ON_ERROR_STOP=1 -v VERBOSITY=terse --single-transaction -d "$3" >/dev/null
"""


@dataclass(frozen=True)
class Failure:
    """What could not be restored.

    Attributes:
        entry: its number in the file's table of contents.
        what: kind, schema, name and owner, such as "INDEX public item_name_idx app".
        why: the server's error.
    """

    entry: str
    what: str
    why: str

    def __str__(self) -> str:
        """Return what and why, for people."""
        return f"{self.what}: {self.why}"


def failures(text: str) -> list[Failure]:
    """Return what pg_restore's errors name, each entry once and with its first error."""
    found: dict[str, Failure] = {}
    entry, what, last = "", "", None
    for line in text.splitlines():
        if at := _ENTRY.match(line):
            entry, what = at[1], at[2]
        elif error := _ERROR.match(line):
            last = entry if entry not in found else None
            found.setdefault(entry, Failure(entry, what, error[1]))
        elif last is not None and (context := _CONTEXT.match(line)):
            found[last] = replace(found[last], why=f"{found[last].why} ({context[1]})")
            last = None
    return list(found.values())


def parse_contents(text: str) -> dict[str, str]:
    """Return number -> kind, schema, name and owner, of what `pg_restore -l` prints."""
    return dict(_LISTED.findall(text))


def command(login: str) -> list[str]:
    """Return the command that restores a file with its database; verbose, or errors would not name their object."""
    return ["pg_restore", "-v", "-U", login, "-d", "template1", "-w", "--create", "--clean", "--if-exists"]


def restore(container: Container, login: str, file: str) -> list[Failure]:
    """Restore a file with its database, and return what failed of it. Raises BackupError when it could not go on."""
    done = execute.run(container, [*command(login), file])
    if done.exit_code == 0:
        return []
    text = _output(done)
    if _IGNORED not in text:
        raise BackupError(f"pg_restore ended with {done.exit_code}: {excerpt(text)}")
    return failures(text)


def restore_whole(container: Container, login: str, file: str) -> None:
    """Restore a file with its database. Raises BackupError with the first error."""
    done = execute.run(container, [*command(login), "--exit-on-error", file])
    if done.exit_code != 0:
        raise BackupError(f"{container.name}: pg_restore ended with {done.exit_code}: {excerpt(_output(done))}")


def _output(done: execute.Ran) -> str:
    return without_rows(done.output.decode(errors="replace"))


def retry(
    container: Container, login: str, file: str, database: str, failed: Iterable[Failure]
) -> tuple[list[Failure], list[Failure]]:
    """Try once more what failed, in its order and with the database's own search_path.

    Returns what came back, and what is missing. Raises BackupError when the file can't be read.
    """
    done = execute.run(container, ["pg_restore", "-l", file])
    if done.exit_code != 0:
        raise BackupError(f"pg_restore -l ended with {done.exit_code}: {excerpt(_output(done))}")
    names = parse_contents(done.output.decode(errors="replace"))
    back, missing = [], []
    for failure in failed:
        its = replace(failure, what=names.get(failure.entry, failure.what))
        if not failure.entry:
            missing.append(its)
            continue
        done = execute.run(container, ["bash", "-c", _RETRY, "-", file, failure.entry, target(database, login)])
        if done.exit_code == 0:
            back.append(its)
        else:
            missing.append(replace(its, why=excerpt(_output(done))))
    return back, missing


def without_missing(
    content: Mapping[str, Any], missing: Mapping[str, Iterable[Failure]], databases: Collection[str]
) -> dict[str, Any]:
    """Return what is promised, or found, of the tables and databases that are not missing.

    Args:
        content: {counts, checksums, names, samples}.
        missing: database -> what could not be restored into it.
        databases: those that could not be restored at all.
    """
    texts = {name: [failure.what for failure in its] for name, its in missing.items()}

    def is_missing(key: str) -> bool:
        if any(key.startswith(f"{name}.") for name in databases):
            return True
        for name, whats in texts.items():
            table = key[len(name) + 1 :]
            # Where a name has dots itself, nobody knows which one ends the schema's.
            pairs = [f"{table[:at]} {table[at + 1 :]} " for at, letter in enumerate(table) if letter == "."]
            if key.startswith(f"{name}.") and any(
                what.startswith(f"{kind} {pair}")
                for what in whats
                for kind in ("TABLE", "TABLE DATA")
                for pair in pairs
            ):
                return True
        return False

    names = dict(content.get("names", {}))
    if databases:
        names["databases"] = [name for name in names.get("databases", []) if name not in databases]
        if "flags" in names:
            gone = tuple(f"{name}: " for name in databases)
            names["flags"] = [flag for flag in names["flags"] if not flag.startswith(gone)]
    return {
        **content,
        "names": names,
        **{
            kind: {key: value for key, value in content.get(kind, {}).items() if not is_missing(key)}
            for kind in ("counts", "checksums")
        },
    }
