# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Start one backup, drill or restore, alone on its stack, for modules and timers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from ..common.labels import LABEL_SERVICE, LABEL_STACK
from ..docker.state import EngineError, connect
from ..secrets.redaction import redacted
from .data_services import DUMPS
from .manifest import BackupError, level_of
from .workspace import Workspace

if TYPE_CHECKING:
    from docker import DockerClient


#: How restic, the tools in containers and the kernel say that a disk is full.
_FULL = re.compile("no space left", re.IGNORECASE)


def refuse_unknown(stack: str) -> None:
    """Raise BackupError when a service with data runs that the host's description does not name.

    Sets would be without it. For runs by timer: a verb brings the description along.
    """
    work = Workspace.of(stack)
    with _as_backup_errors():
        found = _connect().containers.list(filters={"label": f"{LABEL_STACK}={stack}"}, ignore_removed=True)
        running = {str(container.labels.get(LABEL_SERVICE)) for container in found}
    unknown = sorted(running & set(DUMPS) - set(work.stack["services"]))
    if unknown:
        raise BackupError(
            f"found {', '.join(unknown)} running, which the description of the stack on this host does not name: a set "
            "would be without it. Nothing was changed. Next: ./ready up writes the description; what the inventory no "
            "longer has must be removed from the host"
        )


def make_set(stack: str, level: str, host: str, subset: str) -> dict[str, Any]:
    """Make a set, then keep house. Raises BackupError; a set that was saved stays when keeping house fails."""
    from . import backup  # each run loads what it needs
    from .postgresql import wal  # each run loads what it needs

    work = Workspace.of(stack)
    with _as_backup_errors(), work.exclusive():
        client = _connect()
        result = backup.run(client, work, level_of(level or work.settings["level"]), host)
        try:
            result["upkeep"] = backup.maintain(work, subset or work.settings["check_subset"])
            if wal.volume_of(work.stack):
                result["upkeep"] |= wal.prune(client, work)
        except BackupError as error:
            raise BackupError(f"set {result['manifest']['id']} was saved, and then: {error}") from error
    return result


def prove_set(stack: str, set_id: str | None) -> dict[str, Any]:
    """Drill a set."""
    from . import drill

    work = Workspace.of(stack)
    with _as_backup_errors(), work.exclusive():
        return drill.run(_connect(), work, set_id)


def restore_set(
    stack: str,
    set_id: str | None,
    only: list[str],
    host: str,
    safety: bool,
    to: str = "",
    lose: Sequence[str] = (),
    skip_broken: bool = False,
) -> dict[str, Any]:
    """Restore a set, or PostgreSQL as it was at the time `to`."""
    from .restore import run as restore

    work = Workspace.of(stack)
    with _as_backup_errors(), work.exclusive():
        return restore.run(_connect(), work, set_id, only, host, safety, to, lose, skip_broken)


def ship_wal(stack: str) -> dict[str, Any]:
    """Save the WAL that has come since the last time."""
    from .postgresql import wal

    work = Workspace.of(stack)
    if not wal.volume_of(work.stack):
        raise BackupError(f"{stack}: point-in-time recovery is off, so there is no WAL to save")
    with _as_backup_errors(), work.exclusive():
        client = _connect()
        work.heal(client)
        work.repository().ensure(known=work.state().get("repository") == work.settings["repository"])
        return wal.ship(client, work)


def run_module(
    make: Callable[..., Any],
    options: Mapping[str, Any],
    run: Callable[[Mapping[str, Any]], dict[str, Any]],
    changed: bool,
    report: Callable[[Mapping[str, Any]], dict[str, Any]] | None = None,
) -> None:
    """Be one of the modules of backups: state its arguments, do nothing in check mode, hand on {error, found, report}.

    Args:
        make: AnsibleModule, which only the module itself can import.
        options: its arguments, beside `stack`.
        run: gets what it was given, and may raise BackupError.
        changed: what a run without an error says of itself.
        report: makes evidence and table of what was found, or of {error}; None for a module without them.
    """
    module = make(argument_spec={"stack": {"type": "str", "required": True}, **options}, supports_check_mode=True)
    if module.check_mode:
        module.exit_json(changed=False, error="", found={})
    try:
        found = run(module.params)
    except BackupError as error:
        text = redacted(error)
        shown = report({"error": text}) if report else {}
        module.exit_json(changed=False, error=text, found={}, report=shown)
    module.exit_json(changed=changed, error="", found=found, report=report({**found, "error": ""}) if report else {})


@contextmanager
def exclusive_run(stack: str) -> Iterator[tuple[DockerClient, Workspace]]:
    """Give a client and the stack's place, as the only run; see `_as_backup_errors` for what is raised."""
    work = Workspace.of(stack)
    with _as_backup_errors(), work.exclusive():
        yield _connect(), work


@contextmanager
def _as_backup_errors() -> Iterator[None]:
    """Turn what Docker or the file system refuses into a message; whatever was begun is undone by the next run."""
    from docker.errors import DockerException

    try:
        yield
    except BackupError as error:
        text = str(error)
        if not _FULL.search(text) or "Next: make room" in text:
            raise
        raise type(error)(f"{text}. Next: make room on that disk, then run it again") from error
    except (DockerException, OSError) as error:
        text = " ".join(str(error).split())
        room = "make room on that disk, then " if _FULL.search(text) else ""
        raise BackupError(
            f"{type(error).__name__}: {text[:400]}. Next: {room}run it again, it undoes what was begun"
        ) from error


def _connect() -> Any:
    from .helper_containers import LONG

    try:
        return connect(timeout=LONG)
    except EngineError as error:
        raise BackupError(str(error)) from error
