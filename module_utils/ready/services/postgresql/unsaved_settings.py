# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Settings that somebody has made in a running PostgreSQL: no set has them, so a backup says which they are. Pure.

Names alone are shown: a value may be a password.
"""

from __future__ import annotations

from collections.abc import Sequence

#: The settings that ALTER SYSTEM has written.
ALTERED = "SELECT DISTINCT name FROM pg_file_settings WHERE sourcefile LIKE '%/postgresql.auto.conf' ORDER BY 1"


def unsaved_warnings(names: Sequence[str]) -> list[str]:
    """Return a line about the settings that ALTER SYSTEM has made; none without any."""
    if not names:
        return []
    return [
        f"postgresql: ALTER SYSTEM has set {', '.join(names)}: no set has that, and a restore loses it. Next: put it "
        "into postgresql_settings, then ALTER SYSTEM RESET it"
    ]
