# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What backup, drill and restore found, as filters."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready import evidence  # Ansible offers module_utils to modules alone
from ready.backups import interrupted, standing
from ready.backups.stores import with_data
from ready.backups.telling import COLUMNS, backup_part, drill_part, replaced_lines, restore_part, set_rows


def ready_backup_part(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the evidence and the table of a backup."""
    return backup_part(found).as_data()


def ready_drill_part(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the evidence and the table of a drill."""
    return drill_part(found).as_data()


def ready_restore_part(found: Mapping[str, Any]) -> dict[str, Any]:
    """Return the evidence and the table of a restore."""
    return restore_part(found).as_data()


def ready_backup_columns(rows: Sequence[Any]) -> list[dict[str, str]]:
    """Return the table's columns; none for a table without rows."""
    return COLUMNS if rows else []


def ready_backup_newer(
    documents: Iterable[Mapping[str, Any]], stack: Mapping[str, Any], host: str
) -> list[Mapping[str, Any]]:
    """Return the timers' outcomes that are newer than the evidence on the controller."""

    def finished(name: str) -> str:
        try:
            path = evidence.path_of(Path(stack["evidence_dir"]), stack["name"], host, name)
            return evidence.read(path).evidence["finished_at"]
        except evidence.EvidenceError:
            return ""

    return [item for item in documents if item["finished_at"] > finished(item["name"])]


def ready_standing_lines(state: Mapping[str, Any], stack: Mapping[str, Any], only: Sequence[str] = ()) -> list[str]:
    """Return what is said before a run: what of the services with data differs from the inventory, what is starting."""
    return standing.lines(state, stack, only or with_data(stack))


class FilterModule:
    """Ready's filters over backups."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_backup_part": ready_backup_part,
            "ready_drill_part": ready_drill_part,
            "ready_restore_part": ready_restore_part,
            "ready_backup_columns": ready_backup_columns,
            "ready_backup_newer": ready_backup_newer,
            "ready_backup_sets": set_rows,
            "ready_restore_lines": replaced_lines,
            "ready_standing_lines": ready_standing_lines,
            "ready_interrupted_restore": lambda state: f"{interrupted.fault(state)}. Next: {interrupted.NEXT}",
        }
