# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which hosts a verb acts on, as filters over `groups`."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from ansible.errors import AnsibleFilterError

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready import hostgroups  # Ansible offers module_utils to modules alone


def ready_stack_hosts(groups: Mapping[str, Sequence[str]]) -> str:
    """Return the pattern of the hosts that stacks are on."""
    try:
        return hostgroups.stack_hosts(groups)
    except hostgroups.HostGroupError as error:
        raise AnsibleFilterError(str(error)) from error


def ready_windows_hosts(groups: Mapping[str, Sequence[str]], overridden: bool = False) -> str | list[str]:
    """Return the pattern of the Windows hosts, nothing where there are none."""
    try:
        return hostgroups.windows_hosts(groups, overridden)
    except hostgroups.HostGroupError as error:
        raise AnsibleFilterError(str(error)) from error


def ready_fleet_hosts(groups: Mapping[str, Sequence[str]]) -> str:
    """Return the pattern of all hosts."""
    try:
        return hostgroups.fleet(groups)
    except hostgroups.HostGroupError as error:
        raise AnsibleFilterError(str(error)) from error


class FilterModule:
    """Filters over Ansible's `groups`."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return them by name."""
        return {
            "ready_stack_hosts": ready_stack_hosts,
            "ready_windows_hosts": ready_windows_hosts,
            "ready_fleet_hosts": ready_fleet_hosts,
        }
