# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Variables of roles that were renamed: the former name is understood for one release. Runs on the controller.

The default of a variable reads the former name:
`check_count: "{{ check_rounds | default(0) }}"`.
"""

from __future__ import annotations

from collections.abc import Iterable

#: Former name -> name.
FORMER_NAMES = {
    "backup_safety": "backup_safety_set",
    "check_rounds": "check_count",
    "frameworks_deadline": "frameworks_time_limit",
    "test_app_deadline": "test_app_time_limit",
}


def notes(given: Iterable[str]) -> list[str]:
    """Return a note per former name among the names of variables that are set."""
    return [
        f"variable {name}: found a former name. Next: rename it to {FORMER_NAMES[name]}; the next release refuses it"
        for name in sorted(set(given) & set(FORMER_NAMES))
    ]
