# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which hosts of an inventory Ready acts on: those of the group `ready`, and no other, whatever else it names."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

GROUP = "ready"
WINDOWS = "windows"


class HostGroupError(ValueError):
    """The inventory does not say which hosts are Ready's; the message has the lines that say it."""


def _refuse_without(groups: Mapping[str, Sequence[str]]) -> None:
    if GROUP not in groups:
        host = next((name for name in groups.get("all", ()) if name != "localhost"), "localhost")
        raise HostGroupError(
            f"The inventory: found no group '{GROUP}'; expected the hosts that get a stack in it. Nothing was changed. "
            "Next: add these three lines to its end:\n"
            f"{GROUP}:\n  hosts:\n    {host}:\n"
        )


def stack_hosts(groups: Mapping[str, Sequence[str]]) -> str:
    """Return the pattern of the hosts that stacks are on. Raises HostGroupError.

    Args:
        groups: Ansible's variable: group -> names of hosts.
    """
    _refuse_without(groups)
    return f"{GROUP}:!{WINDOWS}" if WINDOWS in groups else GROUP


def windows_hosts(groups: Mapping[str, Sequence[str]], overridden: bool = False) -> str | list[str]:
    """Return the pattern of the Windows hosts, an empty list where there are none. Raises HostGroupError.

    Args:
        groups: Ansible's variable: group -> names of hosts.
        overridden: whether `ready_hosts` names the hosts of stacks; then the group may be missing.
    """
    if overridden and GROUP not in groups:
        return []
    _refuse_without(groups)
    return f"{WINDOWS}:&{GROUP}" if WINDOWS in groups else []


def fleet(groups: Mapping[str, Sequence[str]]) -> str:
    """Return the pattern of all hosts, Windows hosts among them. Raises HostGroupError."""
    _refuse_without(groups)
    return GROUP
