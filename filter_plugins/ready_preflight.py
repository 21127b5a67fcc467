# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decisions about a host and its Docker, as filters."""

from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.host import engine_proxy  # Ansible offers module_utils to modules alone
from ready.preflight import checks as preflight  # Ansible offers module_utils to modules alone
from ready.preflight import left_out
from ready.stack import models  # Ansible offers module_utils to modules alone


class FilterModule:
    """Filters over the facts of a host."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_models_to_copy": models.services_with_missing_models,
            "ready_preflight_failures": lambda checks, host: preflight.failure_text(host, checks),
            "ready_never_made": lambda stack, state: dict.fromkeys(
                left_out.services_never_made(stack, state), left_out.NEVER_MADE
            ),
            "ready_docker_proxy": engine_proxy.proxy_file,
        }
