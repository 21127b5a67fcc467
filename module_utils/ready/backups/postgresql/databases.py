# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide which PostgreSQL databases a set holds, and the flags they get back. Pure functions.

All but template0 and template1, which every cluster has. An invalid one, left by a DROP DATABASE that was interrupted,
lets nobody in and can only be dropped.
"""

from __future__ import annotations

import json
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from .quoting import identifier

OWN = ("template0", "template1")
#: datconnlimit of an invalid database.
INVALID = -2
QUERY = (
    "SELECT json_agg(json_build_object('name', datname, 'template', datistemplate, 'connections', datallowconn, "
    "'limit', datconnlimit) ORDER BY datname COLLATE \"C\") FROM pg_database"
)


@dataclass(frozen=True)
class Database:
    """A row of pg_database.

    Attributes:
        name: its name.
        template: whether everybody may copy it (IS_TEMPLATE).
        connections: whether it lets anybody in (ALLOW_CONNECTIONS).
        limit: how many connections at once; -1 is any number. Superusers are exempt.
    """

    name: str
    template: bool
    connections: bool
    limit: int

    @property
    def flags(self) -> str:
        """The flags, for people and for comparison."""
        kind = "template" if self.template else "no template"
        return f"{kind}, {'open' if self.connections else 'closed'}, connection limit {self.limit}"


def parse(text: str) -> list[Database]:
    """Return what `QUERY` printed, by name."""
    return [Database(**row) for row in json.loads(text)]


def saved(found: Iterable[Database]) -> list[Database]:
    """Return the databases that a set holds."""
    return [database for database in found if database.name not in OWN and database.limit != INVALID]


def closed(found: Iterable[Database]) -> list[Database]:
    """Return those of a set's databases that let nobody in."""
    return [database for database in saved(found) if not database.connections]


def names_of_closed(found: Iterable[Database]) -> list[str]:
    """Return their names."""
    return [database.name for database in closed(found)]


def readable(found: Iterable[Database]) -> list[str]:
    """Return the names of all databases that can be connected to but template0: what goes to another major version."""
    return [its.name for its in found if its.connections and its.limit != INVALID and its.name != "template0"]


def invalid(found: Iterable[Database]) -> list[str]:
    """Return the names of databases that nobody can read any more."""
    return [database.name for database in found if database.limit == INVALID]


def invalid_warnings(found: Iterable[Database]) -> list[str]:
    """Return a warning per invalid database."""
    return [
        f"postgresql: the database {name} is invalid, left by a DROP DATABASE that was interrupted: nobody can read "
        f"it, so the set is without it. Next: DROP DATABASE {identifier(name)}"
        for name in invalid(found)
    ]


def as_manifest(found: Iterable[Database], files: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Return what a manifest says of every database there was: its flags, and its file, None where it has none."""
    return {
        its.name: {
            "template": its.template,
            "connections": its.connections,
            "limit": its.limit,
            "file": files.get(its.name),
        }
        for its in found
    }


def from_manifest(part: Mapping[str, Any]) -> list[Database]:
    """Return the databases that a manifest's part holds, with their flags; an older manifest tells of none."""
    return [
        Database(name, its["template"], its["connections"], its["limit"])
        for name, its in part.get("databases", {}).items()
        if its["file"]
    ]


def names_of_files(part: Mapping[str, Any]) -> dict[str, str]:
    """Return file -> the database whose dump it is; an older manifest tells it by the order."""
    if "databases" in part:
        return {its["file"]: name for name, its in part["databases"].items() if its["file"]}
    names = part.get("content", {}).get("names", {}).get("databases", [])
    return {f"database{number}.dump": name for number, name in enumerate(names)}


def flag_statements(expected: Iterable[Database], found: Iterable[Database]) -> list[str]:
    """Return the statements by which databases get the flags that they should have."""
    there = {database.name: database for database in found}
    return [
        f"ALTER DATABASE {identifier(its.name)} WITH IS_TEMPLATE {its.template} ALLOW_CONNECTIONS {its.connections} "
        f"CONNECTION LIMIT {its.limit}"
        for its in expected
        if its.name in there and there[its.name] != its
    ]


def still_opened(expected: Iterable[Database], found: Iterable[Database]) -> list[Database]:
    """Return the databases that were closed and are open for superusers alone: as they are while a set is made.

    Files of the cluster from such a moment, a base backup with its WAL, have them so.
    """
    there = {database.name: database for database in found}
    return [
        its
        for its in expected
        if not its.connections and its.name in there and there[its.name].connections and there[its.name].limit == 0
    ]


def would_be_lost(live: Iterable[Database], held: Collection[str] | None, lose: Collection[str]) -> list[str]:
    """Return the databases that would be lost: there are, no set holds them, and no option permits to lose them.

    Args:
        live: what is there.
        held: the names that a set holds; None asks which ones no set could hold.
        lose: the names that may be lost.
    """
    holds = {database.name for database in saved(live)} if held is None else held
    return [its.name for its in live if its.name not in {*OWN, *holds, *lose}]


def loss_message(names: Iterable[str], why: str) -> str:
    """Return the message for databases that would be lost."""
    listed = list(names)
    options = " ".join(f"--lose-database {name}" for name in listed)
    return (
        f"postgresql: found {', '.join(listed)}, which {why}, expected every database of the running cluster: it "
        "would be lost. Nothing was changed. Next: look at it (an invalid one can only be dropped), or say that it may "
        f"go: {options}"
    )
