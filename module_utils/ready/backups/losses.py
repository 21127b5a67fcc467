# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a change of PostgreSQL's data would lose a database that no set holds: refused, unless it was named."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from . import opened, pgdatabases
from .manifest import BackupError

if TYPE_CHECKING:
    from docker import DockerClient


def refuse(
    client: DockerClient,
    stack: Mapping[str, Any],
    only: Collection[str],
    lose: Collection[str],
    safety: Mapping[str, Any] | None = None,
) -> None:
    """Raise BackupError when a database that is there would be lost.

    Args:
        client: a connected client.
        stack: the resolved stack; its PostgreSQL runs.
        only: the services whose data are replaced.
        lose: names of databases that may be lost.
        safety: the manifest of the set that was made of what is there; None asks what no set could hold.
    """
    if opened.SERVICE not in only:
        return
    service = stack["services"][opened.SERVICE]
    live = opened.read(client.containers.get(service["container"]), service["accounts"]["admin"]["login"])
    held, why = None, "no backup can hold"
    if safety is not None:
        held = {its.name for its in pgdatabases.promised(safety["parts"][opened.SERVICE])}
        why = f"the safety set {safety['id']} lacks"
    if names := pgdatabases.lacking(live, held, lose):
        raise BackupError(pgdatabases.refusal(names, why))
