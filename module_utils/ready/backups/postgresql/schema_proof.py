# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Prove, when a set is made or data are moved, whether PostgreSQL's schema can be restored.

No proof of the data: only a drill restores those.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Collection, Iterable, Mapping
from typing import TYPE_CHECKING, Any

from ...common.output_excerpt import excerpt
from ...docker import execute
from ...stack.accounts import READER
from ..manifest import BackupError
from .expressions import EVALUATE, FINGERPRINT, Evaluation, parse_evaluation
from .psql import target
from .quoting import identifier
from .schema_proof_report import FAILED, KNOWN, PROVED, UNKNOWN

if TYPE_CHECKING:
    from docker.models.containers import Container

#: Of a container that an earlier version made, which asks every role for a password, or with files of somebody else.
_ASKED = (
    ". It needs none by Ready's pg_hba.conf and pg_ident.conf. Next: ./ready up where the container is of an earlier "
    "version; where postgresql_settings name an hba_file or ident_file, take over the lines on that role from Ready's"
)


def _script(container: Container, where: str, script: str) -> tuple[str, str]:
    """Run a script, whatever fails in it, and return what psql printed and its errors. Raises BackupError."""
    options = ["-XAtqw", "-v", "VERBOSITY=verbose", "-v", "ECHO=errors", "-d", where]
    output = bytearray()
    command = ["bash", "-c", 'printf "%s" "$0" | psql "$@"', script, *options]
    done = execute.run(container, command, write=output.extend)
    if done.exit_code != 0:
        raise BackupError(f"psql ended with {done.exit_code}: {excerpt(done.errors)}")
    return output.decode(errors="replace"), done.errors.decode(errors="replace")


def fingerprint(container: Container, login: str, databases: Iterable[str]) -> str:
    """Return one hash of all that decides whether these databases' schemas can be restored. Raises BackupError.

    The admin asks: nothing of the databases' own is called.
    """
    digest = hashlib.sha256()
    for database in databases:
        output, errors = _script(container, target(database, login), FINGERPRINT)
        if not output.strip():
            raise BackupError(f"{database}: its functions and constraints can't be read: {excerpt(errors)}")
        digest.update(f"{database}\0{output.strip()}\0".encode())
    return digest.hexdigest()


def evaluate(container: Container, databases: Iterable[str], closed: Collection[str]) -> Evaluation:
    """Evaluate all expressions of these databases as a restore does, read-only, by `READER`.

    A database that does not let it in is one of which nothing is known.

    Args:
        container: PostgreSQL's.
        databases: the names of those that are asked.
        closed: the names of those that let nobody in. While a set is made superusers can read them, and PostgreSQL
            tells everybody else of too many connections, so they are not asked.
    """
    whole = Evaluation()
    for database in databases:
        if database in closed:
            continue
        try:
            its = parse_evaluation(*_script(container, target(database, READER), EVALUATE))
        except BackupError as error:
            cure = f". Next: GRANT CONNECT ON DATABASE {identifier(database)} TO {READER}"
            after = cure if "permission denied for database" in str(error) else ""
            if "no password supplied" in str(error):
                after = _ASKED
            whole.unproven.append(f"{database}: not evaluated by {READER}: {error}{after}")
            continue
        whole.objects += its.objects
        whole.rowless += its.rowless
        whole.faults += [f"{database}: {line}" for line in its.faults]
        whole.unproven += [f"{database}: {line}" for line in its.unproven]
    whole.unproven += [f"{database}: it is closed, so nothing of it was evaluated" for database in closed]
    return whole


def earlier_proof(print_: str, proved: Mapping[str, Any]) -> dict[str, Any] | None:
    """Return the proof that an earlier run has made of the same schema, None when it is new."""
    if proved.get("fingerprint") != print_:
        return None
    return {"state": KNOWN, **remembered(proved), "faults": []}


def remembered(proof: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the next run has to know of a proof."""
    return {key: proof[key] for key in ("fingerprint", "at", "unproven")}


def evaluated_again(proof: Mapping[str, Any], live: Evaluation) -> dict[str, Any]:
    """Return a known proof with what evaluating once more has shown: what hindered the last run may be over."""
    return {**proof, "state": FAILED if live.faults else KNOWN, "faults": live.faults, "unproven": live.unproven}


def to_remember(proofs: Mapping[str, Mapping[str, Any]]) -> dict[str, dict[str, Any]]:
    """Return service -> what the next run has to know, of those that are proved."""
    return {name: remembered(its) for name, its in proofs.items() if its["state"] in {PROVED, KNOWN}}


def make_proof(print_: str, at: str, live: Evaluation, schema: Iterable[str], began: float) -> dict[str, Any]:
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


def failed_proof(why: str) -> dict[str, Any]:
    """Return the proof that could not be made."""
    return {"state": UNKNOWN, "faults": [], "unproven": [why]}
