# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""PostgreSQL's schema proven when a set is made, and before data are moved: whether a restore would run into an error.

No proof of the data: only a drill restores those.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from .. import dockerexec
from ..said import shortened
from .manifest import BackupError
from .pgexpressions import CURE, EVALUATE, FINGERPRINT, ROWS, Evaluated, evaluated
from .psql import target

if TYPE_CHECKING:
    from docker.models.containers import Container

PROVED, KNOWN, FAILED, UNKNOWN = "proved", "known", "failed", "unknown"
_SHOWN = 10
#: Of the account `monitor`, in the container.
_PASSWORD = "/run/ready/secrets/monitor.pgpass"  # noqa: S105  # a file's name


def _script(container: Container, where: str, script: str) -> tuple[str, str]:
    """Run a script, whatever fails in it, and return what psql printed and its errors. Raises BackupError."""
    options = ["-XAtqw", "-v", "VERBOSITY=verbose", "-v", "ECHO=errors", "-d", where]
    output = bytearray()
    command = ["bash", "-c", 'printf "%s" "$0" | psql "$@"', script, *options]
    done = dockerexec.run(container, command, write=output.extend)
    if done.exit_code != 0:
        raise BackupError(f"psql ended with {done.exit_code}: {shortened(done.errors)}")
    return output.decode(errors="replace"), done.errors.decode(errors="replace")


def fingerprint(container: Container, login: str, databases: Iterable[str]) -> str:
    """Return one hash of all that decides whether these databases' schemas can be restored. Raises BackupError.

    The admin asks: nothing of the databases' own is called.
    """
    digest = hashlib.sha256()
    for database in databases:
        output, errors = _script(container, target(database, login), FINGERPRINT)
        if not output.strip():
            raise BackupError(f"{database}: its functions and constraints can't be read: {shortened(errors)}")
        digest.update(f"{database}\0{output.strip()}\0".encode())
    return digest.hexdigest()


def evaluate(container: Container, service: Mapping[str, Any], databases: Iterable[str]) -> Evaluated:
    """Evaluate all expressions of these databases as a restore does, read-only, by the account `monitor`.

    A database that does not let it in is one of which nothing is known.
    """
    whole, login = Evaluated(), str(service["accounts"]["monitor"]["login"])
    for database in databases:
        try:
            its = evaluated(*_script(container, target(database, login, passfile=_PASSWORD), EVALUATE))
        except BackupError as error:
            whole.unproven.append(f"{database}: not evaluated by {login}: {error}")
            continue
        whole.objects += its.objects
        whole.rowless += its.rowless
        whole.faults += [f"{database}: {line}" for line in its.faults]
        whole.unproven += [f"{database}: {line}" for line in its.unproven]
    return whole


def known(print_: str, proved: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the proof that an earlier run has made of the same schema, None when it is new."""
    if proved.get("fingerprint") != print_:
        return None
    return {"state": KNOWN, **remembered(proved), "faults": []}


def remembered(proof: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the next run has to know of a proof."""
    return {key: proof[key] for key in ("fingerprint", "at", "unproven")}


def again(proof: Mapping[str, Any], live: Evaluated) -> dict[str, Any]:
    """Return a known proof with what evaluating once more has shown: what hindered the last run may be over."""
    return {**proof, "state": FAILED if live.faults else KNOWN, "faults": live.faults, "unproven": live.unproven}


def to_remember(proofs: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return service -> what the next run has to know, of those that are proved."""
    return {name: remembered(its) for name, its in proofs.items() if its["state"] in {PROVED, KNOWN}}


def judged(print_: str, at: str, live: Evaluated, schema: Iterable[str], began: float) -> dict[str, Any]:
    """Return a proof.

    Args:
        print_: the schema's fingerprint.
        at: when it was proven (a moment as evidence writes it).
        live: what was evaluated on the running server.
        schema: what could not be restored into the scratch server, a line each.
        began: when that began (monotonic seconds).
    """
    faults = [*live.faults, *schema]
    return {
        "state": FAILED if faults else PROVED,
        "fingerprint": print_,
        "at": at,
        "objects": live.objects,
        "rowless": live.rowless,
        "faults": faults,
        "unproven": live.unproven,
        "seconds": round(time.monotonic() - began, 2),
    }


def unknown(why: str) -> dict[str, Any]:
    """Return the proof that could not be made."""
    return {"state": UNKNOWN, "faults": [], "unproven": [why]}


def fault_line(faults: Sequence[str]) -> str:
    """Return what can't be restored, with the cure, for people."""
    more = len(faults) - _SHOWN
    shown = "; ".join(faults[:_SHOWN]) + (f"; and {more} more" if more > 0 else "")
    return f"postgresql: a restore, which sets search_path = '', would fail: {shown}. Next: {CURE}"


def lines(proof: Mapping[str, Any]) -> list[str]:
    """Return exactly what was proven, for people."""
    said = []
    if proof["state"] == KNOWN:
        said.append(
            "PostgreSQL: functions, types, views, constraints and expression indexes are those that were proved at "
            f"{proof['at']}. The data are proved by a drill alone."
        )
    if proof["state"] == PROVED:
        said.append(
            f"PostgreSQL: its schema was restored into a scratch server, and {proof['objects']} expressions of "
            "indexes, constraints, domains, generated columns, partition keys and materialized views were evaluated on "
            f"up to {ROWS} rows each with search_path = '' ({proof['rowless']} of them on no row). The data are proved "
            "by a drill alone."
        )
    if proof["unproven"]:
        said.append(f"PostgreSQL: not proved: {'; '.join(proof['unproven'][:_SHOWN])}")
    return said
