# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""End a run before its first task when the inventory's values can't be had."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NoReturn

from ansible import constants as C  # noqa: N812 - as Ansible's own code calls it
from ansible.errors import AnsibleError
from ansible.parsing.vault import EncryptedString
from ansible.plugins.callback import CallbackBase
from ansible.template import Templar
from ansible.vars.hostvars import HostVars

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))  # Ansible offers module_utils to modules alone

from ready.cli import inventory_values  # noqa: E402
from ready.cli.options import WRONG_CALL  # noqa: E402

DOCUMENTATION = r"""
name: ready_values
type: aggregate
short_description: End a run before its first task when the inventory's values can't be had
description:
  - A file or a value that no vault password opens, and a variable that C(ansible_password) or another variable of the
    connection names and nobody has set, end a run of Ready's own playbooks before anything is changed on any host.
  - Values that a lookup gives are left to the tasks.
requirements: [enabled in C(ansible.cfg)]
"""

#: The connection of a distro that needs that of its Windows host; by ssh, say, that one is not asked.
_THROUGH_WINDOWS = "wsl_psrp"


def _hosts(playbook: Any, manager: Any) -> list[str]:
    """Return the hosts of all plays that --limit leaves."""
    inventory = manager._inventory
    found: dict[str, None] = {}
    for play in playbook.get_plays():
        templar = Templar(loader=manager._loader, variables=manager.get_vars(play=play))
        try:
            pattern = templar.template(play.hosts)
        except AnsibleError:
            continue  # the play says it
        found |= dict.fromkeys(host.name for host in inventory.get_hosts(pattern, ignore_restrictions=True))
    return list(found)


def _unopened(manager: Any) -> Iterator[str]:
    """Yield the encrypted files of the inventory that the given vault passwords don't open."""
    from ready.cli import variable_files  # few runs have such files

    for path in variable_files.inventory_files(manager._inventory._sources):
        try:
            if path.read_bytes().startswith(b"$ANSIBLE_VAULT;"):
                manager._loader.get_text_file_contents(str(path))
        except AnsibleError:
            yield str(path)
        except OSError:  # a variable file that can't be read is Ansible's to name
            continue


class CallbackModule(CallbackBase):
    """See DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "ready_values"
    CALLBACK_NEEDS_ENABLED = False  # from another directory Ready's ansible.cfg is not read

    def __init__(self) -> None:
        super().__init__()
        self._playbook: Any = None

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Note the playbook, if it is one of Ready's."""
        path = Path(str(playbook._file_name)).resolve()
        self._playbook = playbook if path.parent in {ROOT, ROOT / "playbooks"} else None

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Look at the hosts of all plays, before the first one of them: what comes later may change something."""
        playbook, self._playbook = self._playbook, None
        if playbook is None:
            return
        manager = play.get_variable_manager()
        if manager._hostvars is None:  # no host is of the first play
            HostVars(manager._inventory, manager, manager._loader)
        faults: dict[str, list[str]] = {}
        names = _hosts(playbook, manager)
        for name in names:  # a distro adds the Windows host through which it is reached
            variables = self._variables(name, play, manager)
            above = str(variables.get("ansible_wsl_windows_host", ""))
            if variables.get("ansible_connection") == _THROUGH_WINDOWS and above not in names:
                names += [above] if manager._inventory.get_host(above) else []
            for fault in self._faults(variables, manager):
                faults.setdefault(fault, []).append(name)
        if faults:
            self._refuse(inventory_values.messages(faults))

    def _variables(self, name: str, play: Any, manager: Any) -> dict[str, Any]:
        """Return the variables of a host, none where Ansible's first task has to say what is wrong with them."""
        try:
            found: dict[str, Any] = manager.get_vars(play=play, host=manager._inventory.get_host(name))
        except AnsibleError as error:
            if text := inventory_values.encrypted_files(str(error), _unopened(manager)):
                self._refuse([text])
            return {}
        return found

    def _faults(self, variables: dict[str, Any], manager: Any) -> Iterator[str]:
        """Yield what is wrong with the connection variables of a host."""
        templar = Templar(loader=manager._loader, variables=variables)
        for variable in inventory_values.connection_values(variables, lambda value: isinstance(value, EncryptedString)):
            try:
                templar.template(variables[variable])
            except AnsibleError as error:
                if fault := inventory_values.fault(variable, str(error)):
                    yield fault

    def _refuse(self, lines: list[str]) -> NoReturn:
        for line in lines:
            self._display.display(f"ready: {line}", color=C.COLOR_ERROR, stderr=True)
        raise SystemExit(WRONG_CALL)
