"""A Windows host that has accounts, files and distros, and nothing else: enough to test the wire."""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Iterator, Mapping
from typing import Any

from tests.simulator.distro import Distro, wsl_exec
from tests.simulator.files import FileStore
from tests.simulator.host import ModuleCall, ScriptCall

#: From 1601, in 100 ns: what .NET's ToFileTime counts.
_FILE_TIME = 11644473600


class PlainHost:
    """See tests/simulator/host.py."""

    def __init__(self, name: str, accounts: Mapping[str, str], distros: Mapping[str, Distro] | None = None) -> None:
        self.name = name
        self.accounts: Mapping[str, str] = dict(accounts)
        self.files = FileStore()
        self.distros = dict(distros or {})
        self.boot = time.time()
        self._up = threading.Event()
        self._up.set()

    def module(self, call: ModuleCall) -> dict[str, Any]:
        """Return the facts of a Windows host; any other module changes nothing."""
        if call.name == "setup":
            facts = {
                "ansible_os_family": "Windows",
                "ansible_hostname": self.name.upper(),
                "ansible_system": "Win32NT",
                "ansible_distribution": "Microsoft Windows 11 Pro",
                "ansible_powershell_version": 5,
            }
            return {"changed": False, "ansible_facts": facts}
        if call.name in ("win_command", "win_shell", "win_powershell"):
            return {"changed": True, "rc": 0, "stdout": "", "stderr": "", "output": [], "error": []}
        return {"failed": True, "changed": False, "msg": f"this simulated host has no {call.name}"}

    def script(self, call: ScriptCall) -> Iterator[str]:
        """Answer wsl_exec."""
        if call.id != "wsl_exec":
            raise LookupError(f"this simulated host has no script {call.id}")
        return wsl_exec(call, self.distros)

    def raw(self, text: str) -> tuple[str, int]:
        """Answer win_reboot, and echo anything else."""
        if "LastBootUpTime" in text:
            return str(int((self.boot + _FILE_TIME) * 10**7)), 0
        if "shutdown" in text.lower():
            self.restart(after=0.3)
            return '{"stdout": "", "stderr": "", "rc": 0}', 0
        found = re.search(r"success-[0-9a-f-]{36}", text)  # win_reboot's test command
        return (found[0] if found else text), 0

    def restart(self, after: float = 0, away: float = 1.5) -> None:
        """Reboot: away for a while, with a new boot time and every distro stopped."""

        def run() -> None:
            time.sleep(after)
            self._up.clear()
            for distro in self.distros.values():
                distro.terminate()
            time.sleep(away)
            self.boot = time.time()
            self._up.set()

        threading.Thread(target=run, daemon=True).start()

    def go_away(self) -> None:
        """Answer nobody, until `come_back`."""
        self._up.clear()

    def come_back(self) -> None:
        """Answer again."""
        self._up.set()

    def reachable(self) -> bool:
        """Say whether it is up."""
        return self._up.is_set()
