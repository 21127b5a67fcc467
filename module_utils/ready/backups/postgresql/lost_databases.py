# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Refuse to lose a PostgreSQL database that no set holds, unless it was named."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from ..manifest import BackupError
from . import closed_databases, databases

if TYPE_CHECKING:
    from docker import DockerClient


def _held(manifest: Mapping[str, Any]) -> set[str]:
    return set(databases.names_of_files(manifest["parts"].get(closed_databases.SERVICE, {})).values())


def not_restored(
    manifest: Mapping[str, Any], stack: Mapping[str, Any], only: Collection[str], safety: Mapping[str, Any] | None
) -> list[str]:
    """Return a line per database that was there, or that the inventory makes, and that a restored set does not hold.

    Args:
        manifest: the set's.
        stack: the resolved stack.
        only: the services that were restored.
        safety: the manifest of the set that was made of what was there before, if there is one.
    """
    held = _held(manifest)
    if closed_databases.SERVICE not in only or not held:  # of such a set nothing is known
        return []
    before = _held(safety) if safety else set()
    made = {its["name"] for its in stack["services"][closed_databases.SERVICE].get("databases", [])}
    return [
        f"postgresql: the database {name} is not in set {manifest['id']}, so nothing of it was restored"
        + (f"; what it held is in set {safety['id']}" if safety and name in before else "")
        for name in sorted((before | made) - held)
    ]


def refuse_loss(
    client: DockerClient,
    stack: Mapping[str, Any],
    only: Collection[str],
    lose: Collection[str],
    kept: Mapping[str, Any] | None = None,
) -> None:
    """Raise BackupError when a database that is there would be lost.

    Args:
        client: a connected client.
        stack: the resolved stack; its PostgreSQL runs.
        only: the services whose data are replaced.
        lose: names of databases that may be lost.
        kept: the manifest of the set that they come from afterwards; None asks what no set could hold.
    """
    if closed_databases.SERVICE not in only or (kept and closed_databases.SERVICE not in kept["parts"]):
        return
    service = stack["services"][closed_databases.SERVICE]
    live = closed_databases.read_databases(
        client.containers.get(service["container"]), service["accounts"]["admin"]["login"]
    )
    held, why = None, "no backup can hold"
    if kept is not None:
        held = _held(kept)
        why = f"the {'safety ' if kept.get('safety') else ''}set {kept['id']} lacks"
    if names := databases.would_be_lost(live, held, lose):
        raise BackupError(databases.loss_message(names, why))
