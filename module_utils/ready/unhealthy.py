# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What to say of a service that did not become healthy. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .container import containers


def unhealthy_message(host: str, stack: Mapping[str, Any], waited: Mapping[str, Any]) -> str:
    """Return one readable message about every service that did not become healthy, with its last log lines."""
    lines = []
    for name, outcome in waited.items():
        if outcome["healthy"]:
            continue
        service = containers(stack)[name]
        if outcome["wrong_password"]:
            volumes = ", ".join(volume["name"] for volume in service["volumes"])
            lines.append(
                f"{host}: {name}: the volume {volumes} holds a database with another password than the inventory's; "
                f"{service['title']} ignores a new one. The data were left as they are. Next: put back the secrets "
                "file that they were made with (another clone or inventory may hold it), then ./ready up; if it is "
                f"lost, ./ready restore --only {name} brings a backup back under this inventory's passwords."
            )
        else:
            lines.append(
                f"{host}: {name} is {outcome['state']} after {outcome['seconds']:.0f} s, expected healthy; its health "
                f"test says: {outcome['detail'] or 'nothing'}. The others stay up. "
                f"Next: ./ready logs --service {name}"
                + ("." if "of" in service else f"; limits and settings are {name}_* in the inventory.")
            )
        lines += [f"    {line}" for line in outcome["logs"]]
    return "\n".join(lines)
