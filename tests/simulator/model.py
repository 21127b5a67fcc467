"""A Windows host as Ready sees one: the state that its modules and scripts read and change, and a record of all of it.

Nothing here runs PowerShell, and no virtual machine starts: docs/windows.md says what that leaves unproven. In
handlers/ each module and script is answered by its documented contract.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tests.simulator.distro import Distro, wsl_exec
from tests.simulator.files import FileStore
from tests.simulator.host import ModuleCall, ScriptCall
from tests.simulator.inside import ContainerInside, Inside, MemoryInside
from tests.simulator.plain import PlainHost

OWNER_SID = "S-1-5-21-1111111111-2222222222-3333333333-1001"
OTHER_SID = "S-1-5-21-1111111111-2222222222-3333333333-1002"
SYSTEM_SID = "S-1-5-18"
BUILD_11, BUILD_10, BUILD_2022, BUILD_2019 = 22631, 19045, 20348, 17763
WSL_FEATURE, VM_FEATURE = "Microsoft-Windows-Subsystem-Linux", "VirtualMachinePlatform"
PROFILE = "C:\\Users\\ready"
SETTINGS = f"{PROFILE}\\AppData\\Roaming\\Docker\\settings-store.json"

#: What a new Windows has: a module that writes a file makes no folder for it, but where it is told a folder's name.
FOLDERS = ("C:\\", "C:\\Program Files", "C:\\Windows\\Temp", PROFILE, f"{PROFILE}\\AppData\\Roaming",
           f"{PROFILE}\\AppData\\Local\\Temp")  # fmt: skip


@dataclass
class Action:
    """Something that Ansible asked for: what, with which arguments, and whether it changed the host."""

    kind: str  # module, script or program
    name: str
    args: Mapping[str, Any]
    check: bool = False
    changed: bool = False


@dataclass
class Registered:
    """A distro in somebody's registry."""

    name: str
    base_path: str
    inside: Inside
    owner: str = "PC\\ready"
    owner_sid: str = OWNER_SID
    version: int = 2
    running: bool = False


@dataclass
class DockerDesktop:
    """An installed Docker Desktop."""

    version: str
    running: bool = False
    engine: str = "28.3.2"
    integrated: set[str] = field(default_factory=set)


@dataclass
class Task:
    """A scheduled task of ours."""

    name: str
    user: str
    execute: str
    arguments: str
    time_limit: str
    password: str
    triggers: tuple[str, ...]


class Windows(PlainHost):
    """One simulated host. `faults` holds what is broken: see conditions.py."""

    def __init__(
        self,
        name: str,
        accounts: Mapping[str, str] | None = None,
        *,
        make_inside: Callable[[str], Inside] | None = None,
    ) -> None:
        super().__init__(name, accounts or {"ready": "Pw-of-ready-1"})
        self.files = FileStore(FOLDERS)
        self.record: list[Action] = []
        self.lock = threading.RLock()
        self.make_inside = make_inside or (lambda distribution: MemoryInside())
        self.account = f"{name.upper()}\\{next(iter(self.accounts))}"
        self.sid = OWNER_SID
        self.elevated = True
        self.desktops = [{"sid": OWNER_SID, "session": 1}]
        self.caption, self.build, self.product_type = "Microsoft Windows 11 Pro", BUILD_11, 1
        self.virtualization = True
        self.features: dict[str, str | None] = {VM_FEATURE: "Disabled", WSL_FEATURE: "Disabled"}
        self.pending_reboot: list[str] = []
        self.wsl_version: str | None = None
        self.stub = True
        self.registry: dict[str, dict[str, Any]] = {
            "HKCU:\\Software\\Microsoft\\Windows\\CurrentVersion\\Uninstall": {}
        }
        self.registered: list[Registered] = []
        self.docker: DockerDesktop | None = None
        self.docker_users: set[str] = set()
        self.listeners: list[dict[str, Any]] = []
        self.excluded: list[list[int]] = []
        self.portproxy: dict[str, str] = {}
        self.rules: dict[str, dict[str, Any]] = {}
        self.hyperv_rules: dict[str, dict[str, Any]] = {}
        self.tasks: dict[str, Task] = {}
        self.proxy = ""
        self.proxy_bypass = ""
        self.certificates: list[dict[str, Any]] = []
        self.disk_free = 200 * 2**30
        self.clock_skew = 0.0
        self.downloads: dict[str, bytes] = {}
        self.logs: dict[str, list[str]] = {}
        self.faults: dict[str, Any] = {}

    # What the wire asks.
    def module(self, call: ModuleCall) -> dict[str, Any]:
        """Answer a module by its handler; one without a handler fails, so that nothing passes unseen."""
        from tests.simulator.handlers import MODULES

        with self.lock:
            handler = MODULES.get(call.name)
            if handler is None:
                return super().module(call)
            result = handler(self, call)
            if call.name != "win_powershell":  # the script in it notes itself
                self.note("module", call.name, call.args, check=call.check, changed=bool(result.get("changed")))
            self._lose(call)
            return result

    def _lose(self, call: ModuleCall) -> None:
        """Cut the connection after the module or program that `faults` names, until `come_back`.

        Its effect stays. Its answer is held back until the connection that it would go through is long gone: no clock
        decides what a busy machine sees.
        """
        words = (call.args.get("parameters") or {}).get("Arguments") or [""]
        if not call.check and self.faults.get("lost_after") in {call.name, words[0]}:
            del self.faults["lost_after"]
            self.go_away()
            self._up.wait()

    def script(self, call: ScriptCall) -> Iterator[str]:
        """Answer one of our scripts by its handler; wsl_exec's commands really run."""
        if call.id == "wsl_exec":
            return wsl_exec(call, self.distros)
        return iter([json.dumps(self.run_script(call.id, call.parameters))])

    def run_script(self, identity: str, parameters: Mapping[str, Any]) -> dict[str, Any]:
        """Return a script's result. Raises LookupError for one without a handler."""
        from tests.simulator.handlers import SCRIPTS

        with self.lock:
            return SCRIPTS[identity](self, parameters)

    def raw(self, text: str) -> tuple[str, int]:
        """Answer win_reboot's own scripts."""
        if "shutdown" in text.lower():
            self.note("module", "win_reboot", {}, changed=True)
        return super().raw(text)

    def restart(self, after: float = 0, away: float = 1.0) -> None:
        """Reboot: features are finished, what runs ends, tasks with a boot trigger start."""
        self._reboot(time.time() + 1)
        if not self.faults.get("never_comes_back"):
            super().restart(after, away)
            return

        def leave() -> None:
            time.sleep(after)
            self.go_away()

        threading.Thread(target=leave, daemon=True).start()

    def _reboot(self, _moment: float) -> None:
        with self.lock:
            if not self.faults.get("features_stick"):
                self.features = {
                    name: "Enabled" if state and "Pending" in state else state for name, state in self.features.items()
                }
            self.pending_reboot.clear()
            for distro in self.registered:
                distro.running = False
            if self.docker:
                self.docker.running = False
            if self.faults.get("nobody_logs_on"):
                self.log_off()
            for task in self.tasks.values():
                if "boot" in task.triggers:
                    self.run_task(task)

    def log_off(self) -> None:
        """Their owner's session ends, and with it Docker Desktop; the tasks are in no session, and go on."""
        self.desktops = []
        if self.docker:
            self.docker.running = False
        self.integrate()

    # What handlers share.
    def note(
        self, kind: str, name: str, args: Mapping[str, Any], *, check: bool = False, changed: bool = False
    ) -> None:
        """Keep what was asked for."""
        self.record.append(Action(kind, name, dict(args), check, changed))

    def changes(self) -> list[str]:
        """Return the names of everything that changed the host, in order."""
        return [action.name for action in self.record if action.changed and not action.check]

    def mine(self, name: str) -> Registered | None:
        """Return the connecting account's distro of a name."""
        found = [item for item in self.registered if item.owner_sid == self.sid and item.name.lower() == name.lower()]
        return found[0] if found else None

    def starts(self, distro: Registered) -> bool:
        """Start a distro if it can be, and say so."""
        if self.start_fault():
            return False
        if not distro.running:
            distro.running = True
            distro.inside.started()
        return True

    def start_fault(self) -> str:
        """Return the error code that a start of the virtual machine ends with, "" when it works."""
        if not self.virtualization:
            return "Wsl/Service/CreateInstance/CreateVm/HCS/0x80370102"
        if self.features.get(VM_FEATURE) != "Enabled":
            return "Wsl/Service/CreateInstance/CreateVm/HCS/HCS_E_SERVICE_NOT_AVAILABLE"
        return str(self.faults.get("start_code", ""))

    def run_task(self, task: Task) -> None:
        """Run a task, when the stored password is right: both of ours start the distro, and one follows it."""
        from tests.simulator.handlers.scripts import portproxy_follow

        if task.password not in self.accounts.values():
            return
        words = task.arguments.split()
        given = {name: words[words.index(name) + 1] for name in ("-d", "-Distribution", "-Stack") if name in words}
        distro = self.mine(given.get("-d") or given.get("-Distribution", ""))
        if distro and self.starts(distro) and "-Stack" in given:
            portproxy_follow(self, distro, given["-Stack"], task.arguments)

    def add_distro(self, name: str, base_path: str, **other: Any) -> Registered:
        """Register a distro of the connecting account, or of another."""
        inside = self.make_inside(name)
        distro = Registered(name, base_path, inside, owner=self.account, owner_sid=self.sid)
        for key, value in other.items():
            setattr(distro, key, value)
        self.registered.append(distro)
        if isinstance(inside, ContainerInside):
            self.distros[name] = inside.distro
        return distro

    def drop_distro(self, distro: Registered) -> None:
        """Unregister a distro: its disk goes."""
        self.registered.remove(distro)
        self.distros.pop(distro.name, None)
        distro.inside.remove()

    def integrate(self) -> None:
        """Let Docker Desktop's integration be what its settings and its engine say."""
        settings = json.loads(self.files[SETTINGS].decode("utf-8")) if SETTINGS in self.files else {}
        wanted = settings.get("IntegratedWslDistros", [])
        up = self.docker is not None and self.docker.running and not self.faults.get("integration_lost")
        for distro in self.registered:
            distro.inside.integrate(on=up and distro.name in wanted, known=distro.name in wanted)

    def close(self) -> None:
        """Remove what stands behind the distros."""
        for distro in list(self.registered):
            self.drop_distro(distro)


def container_inside(label: str, *, engine: bool = False) -> Callable[[str], Inside]:
    """Return a maker of distros that are real containers, labelled for their removal, fit for an engine or not."""

    def make(name: str) -> Inside:
        container = f"ready-sim-{label}-{name}".lower().replace(".", "-")
        distro = Distro(name, container, label, engine=engine).create()
        # The image of a distro is old when it is imported; this one may be of the last hour, and without package lists.
        distro.sh("touch -d @0 /var/lib/apt/lists /var/lib/apt/periodic/update-success-stamp 2>&1 || true")
        return ContainerInside(distro)

    return make
