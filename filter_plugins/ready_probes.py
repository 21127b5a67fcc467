# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the probes need on a host, as filters."""

from __future__ import annotations

import base64
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready import installed, package, schedules  # Ansible offers module_utils to modules alone


def ready_probes(lock: str) -> dict[str, str]:
    """Return what `probes_environment` takes, from the text of requirements-probes.txt; `mark` is its outcome."""
    return {
        "requirements": lock,
        "wheel_name": package.WHEEL,
        "wheel": base64.b64encode(package.wheel()).decode(),
        "package": package.fingerprint(),
        "mark": installed.mark(lock, package.fingerprint()),
    }


def ready_probes_mark(lock: str) -> str:
    """Return what an environment says that was made from this lock and the package as it is now."""
    return installed.mark(lock, package.fingerprint())


class FilterModule:
    """Filters over what the probes need."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_probes": ready_probes,
            "ready_probes_mark": ready_probes_mark,
            "ready_installed": installed.is_complete,
            "ready_stack_description": installed.stack_description,
            "ready_concerned": schedules.is_concerned,
            "ready_scheduled": schedules.is_complete,
        }
