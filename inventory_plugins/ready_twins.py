# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make a Linux host of each Windows host: its WSL distro."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any, NoReturn

from ansible import constants as C  # noqa: N812 - as Ansible's own code calls it
from ansible.errors import AnsibleParserError
from ansible.plugins.inventory import BaseInventoryPlugin
from ansible.utils.display import Display

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.cli.host_groups import name_clash, twin_clash  # Ansible offers module_utils to modules alone
from ready.cli.options import WRONG_CALL

DOCUMENTATION = r"""
name: ready_twins
author: Ready
version_added: "0.1.0"
short_description: Make a Linux host of each Windows host, its WSL distro
description:
  - For each host of O(group) that an earlier inventory source named, adds a host with O(suffix) to its name, puts it in
    O(twin_group) and sets C(ansible_wsl_windows_host), from which P(wsl_psrp#connection) finds its way.
  - The twin of a host in the group C(ready) joins that group.
  - A name that a host and a group would share, or two hosts, ends the run.
  - Sources of a folder are read in the order of their names, so C(twins.yml) comes after C(hosts.yml).
options:
  plugin:
    description: Must be V(ready_twins).
    required: true
    choices: [ready_twins]
  group:
    description: The group of the Windows hosts.
    type: str
    default: windows
  twin_group:
    description: The group that the distros are put in.
    type: str
    default: wsl
  suffix:
    description: What is put behind the Windows host's name.
    type: str
    default: -wsl
"""

EXAMPLES = r"""
# twins.yml
plugin: ready_twins
"""


def _refuse(message: str) -> NoReturn:
    """End the run. After an error of this plugin, Ansible would try the next one, and blame this source."""
    Display().display(f"ready: The inventory: {message}", color=C.COLOR_ERROR, stderr=True)
    raise SystemExit(WRONG_CALL)


class InventoryModule(BaseInventoryPlugin):
    """See DOCUMENTATION."""

    NAME = "ready_twins"

    def verify_file(self, path: str) -> bool:
        """Say whether the file may be one of these."""
        return bool(super().verify_file(path)) and path.endswith((".yml", ".yaml"))

    def parse(self, inventory: Any, loader: Any, path: str, cache: bool = True) -> None:
        """Add the twins. Raises AnsibleParserError when there is no such group; ends the run where names clash."""
        super().parse(inventory, loader, path, cache)
        self._read_config_data(path)
        group, twins, suffix = (str(self.get_option(name)) for name in ("group", "twin_group", "suffix"))
        if group not in inventory.groups:
            raise AnsibleParserError(
                f"{path}: the inventory has no group {group!r}; expected the Windows hosts in it, from a source that"
                " is read before this one. Next: name them in hosts.yml, or set `group` here."
            )
        if twins in inventory.hosts:
            _refuse(name_clash(twins))
        inventory.add_group(twins)
        windows = {host.name for host in inventory.groups[group].get_hosts()}
        ours = {host.name for host in inventory.groups["ready"].get_hosts()} if "ready" in inventory.groups else set()
        for host in inventory.groups[group].get_hosts():
            twin = f"{host.name}{suffix}"
            if twin in inventory.groups:
                _refuse(name_clash(twin))
            if twin in windows:
                _refuse(twin_clash(host.name, twin))
            inventory.add_host(twin, group=twins)
            if host.name in ours:
                inventory.add_child("ready", twin)
            inventory.set_variable(twin, "ansible_wsl_windows_host", host.name)
