"""What Ansible sends to Windows, decoded: the manifest of a module, or of one of its own helper scripts.

On the wire it is pipeline input, line by line: the description of exec_wrapper, a line of four NULs, the manifest,
and for scripts that take input another line of NULs and the input (ansible/executor/powershell/module_manifest.py,
read in ansible-core 2.21.5).
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.simulator.host import ModuleCall

SEPARATOR = "\0\0\0\0"


@dataclass(frozen=True)
class Manifest:
    """The last action is what is wanted; those before wrap it."""

    actions: list[dict[str, Any]]

    @property
    def name(self) -> str:
        """The script that is wanted, such as module_wrapper.ps1."""
        return str(self.actions[-1]["name"])

    @property
    def params(self) -> dict[str, Any]:
        """Its parameters."""
        return dict(self.actions[-1].get("params") or {})

    def wrapper(self, name: str) -> dict[str, Any] | None:
        """Return the parameters of a wrapper, such as async_wrapper.ps1, or None without it."""
        found = [action for action in self.actions[:-1] if action["name"] == name]
        return {**(found[0].get("params") or {}), **(found[0].get("secure_params") or {})} if found else None

    def call(self) -> ModuleCall:
        """Return the module call. Raises LookupError when the manifest is not a module's."""
        args = next(item["Value"] for item in self.params["Variables"] if item["Name"] == "complex_args")
        become = self.wrapper("become_wrapper.ps1")
        return ModuleCall(
            name=str(self.params["Script"]).removesuffix(".ps1").rsplit(".", 1)[-1],
            args={key: value for key, value in args.items() if not key.startswith("_ansible_")},
            check=bool(args.get("_ansible_check_mode")),
            diff=bool(args.get("_ansible_diff")),
            become_user=str(become["BecomeUser"]) if become else None,
            environment=dict(self.params.get("Environment") or {}),
            become=become or {},
        )


def read(lines: Iterator[str]) -> Manifest:
    """Read a manifest from pipeline input and leave the script's own input, if any, unread. Raises ValueError."""
    for line in lines:
        if line == SEPARATOR:
            return Manifest(json.loads(next(lines))["actions"])
    raise ValueError("no manifest in the pipeline's input")


def own_input(lines: Iterator[str]) -> Iterator[str]:
    """Yield the script's own input."""
    for line in lines:
        if line != SEPARATOR:
            yield line
