# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The machines of an inventory: a Windows host and its WSL distro are two hosts, and one machine. Controller alone."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..common.paths import ROOT
from ..gold.shown import printable
from ..secrets.inventory_store import windows_hosts_of_distros
from ..stack.argument_specs import role_specs

#: The group of the inventory that Windows hosts are in.
WINDOWS = "windows"


@dataclass(frozen=True)
class Machine:
    """A machine: the Linux host that the stack is on, the Windows host below it, or either alone.

    Attributes:
        name: the Windows host's where there is one.
        linux: the host that the services are on; None of a Windows host whose distro is not in the inventory.
        windows: its Windows host; None of a Linux machine.
        stack: the stack's name.
        directory: of the evidence.
        application: the path of the application that the inventory names, "" for none.
        waivers: the inventory's.
    """

    name: str
    linux: str | None
    windows: str | None
    stack: str
    directory: Path
    application: str = ""
    waivers: tuple[Mapping[str, Any], ...] = ()

    @property
    def hosts(self) -> list[str]:
        """The inventory's hosts that it consists of."""
        return [host for host in (self.windows, self.linux) if host]


def application_path(application: Mapping[str, Any] | None) -> str:
    """Return the path of the inventory's application on this machine as evidence names it, "" for none."""
    path = (application or {}).get("path")
    return printable(str(Path(path).expanduser().resolve())) if path else ""


def stack_of(own: Mapping[str, Any]) -> tuple[Path, str]:
    """Return evidence directory and name of a host's stack, from its variables; what was resolved counts."""
    resolved = own.get("ready_stack") or {}
    directory = resolved.get("evidence_dir") or own.get("ready_evidence_dir") or ROOT / "evidence"
    default = role_specs()["stack"]["main"]["options"]["stack_name"]["default"]
    return Path(str(directory)).expanduser().absolute(), str(resolved.get("name") or own.get("stack_name") or default)


def hosts_of_stack(
    hosts: Iterable[str], hostvars: Mapping[str, Mapping[str, Any]], stack: Mapping[str, Any], host: str
) -> Iterator[str]:
    """Give those of the hosts that are of this stack, which has its own report.

    Args:
        hosts: names of hosts.
        hostvars: Ansible's.
        stack: the resolved stack.
        host: the one that it was resolved for.
    """
    wanted = stack_of({"ready_stack": stack})
    return (name for name in hosts if name == host or stack_of(hostvars[name]) == wanted)


def inventory_machines(hostvars: Mapping[str, Mapping[str, Any]], hosts: Iterable[str]) -> list[Machine]:
    """Return the machines that an inventory's hosts are.

    Args:
        hostvars: Ansible's; a host whose stack was resolved in this run is taken as resolved.
        hosts: names of the hosts.
    """
    names = list(hosts)
    below = windows_hosts_of_distros(hostvars, names)
    with_distro = set(below.values())
    found = []
    for name in names:
        if name in with_distro:
            continue  # its distro stands for both
        own = hostvars[name]
        windows = WINDOWS in own.get("group_names", ())
        directory, stack = stack_of(own)
        found.append(
            Machine(
                below.get(name, name),
                None if windows else name,
                name if windows else below.get(name),
                stack,
                directory,
                application_path(own.get("application")),
                tuple(own.get("ready_waivers") or ()),
            )
        )
    return found
