"""A Windows host as Ready sees one: the state that its modules and scripts read and change, and a record of all of it.

Nothing here runs PowerShell, and no virtual machine starts: docs/windows.md says what that leaves unproven. In
handlers/ each module and script is answered by its documented contract.
"""

from __future__ import annotations

import copy
import json
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

from tests.simulator.distro import wsl_exec
from tests.simulator.files import FileStore
from tests.simulator.firewall import Network, Remoting, admits, new_profiles, office, wsl_switch
from tests.simulator.host import ModuleCall, ScriptCall
from tests.simulator.inside import ContainerInside, Inside, MemoryInside
from tests.simulator.installed import (
    BUILD_11,
    FOLDERS,
    OTHER_SID,
    OWNER_SID,
    SETTINGS,
    VM_FEATURE,
    WSL_FEATURE,
    Action,
    AutomaticLogon,
    DockerDesktop,
    Registered,
)
from tests.simulator.plain import PlainHost
from tests.simulator.task import Task

#: Where Ansible comes from, to a host whose WinRM is modelled.
CONTROLLER = "192.168.1.10"


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
        self.automatic_logon: AutomaticLogon | None = None
        self.caption, self.build, self.product_type = "Microsoft Windows 11 Pro", BUILD_11, 1
        self.revision = 4602
        self.virtualization = True
        self.guest = False  # a virtual machine itself: the hypervisor around it is seen in it
        self.nested = False  # one that virtualization is passed on to: its firmware says so until its own runs
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
        self.excluded = ""  # what netsh says of reserved ports
        self.portproxy: dict[str, str] = {}
        self.rules: dict[str, dict[str, Any]] = {}
        self.hyperv_rules: dict[str, dict[str, Any]] = {}
        self.tasks: dict[str, Task] = {}
        self.proxy = ""
        self.proxy_bypass = ""
        self.proxy_script = ""
        self.proxy_machine: dict[str, Any] | None = None
        self.proxy_winhttp = bytes.fromhex("1800000000000000010000000000000000000000")  # none, as Windows comes
        self.proxy_others: list[dict[str, str]] = []
        self.certificates: list[dict[str, Any]] = []
        self.disk_free = 200 * 2**30
        self.clock_skew = 0.0
        self.downloads: dict[str, bytes] = {}
        self.logs: dict[str, list[str]] = {}
        self.faults: dict[str, Any] = {}
        self.networks: list[Network] = [office(), wsl_switch()]
        self.firewall = new_profiles()
        self.administrators = set(self.accounts)
        self.batch = {"Administrators"}  # who may log on as a batch job, as Windows comes
        self.remoting: Remoting | None = None  # None: somebody has set it up, and it is not looked at
        self.windows: list[float] = []  # of WSL, at the desktop: when each was opened
        self.wsl_session: int | None = None  # the session that WSL was first used from
        self.moments = 0
        self.outdated: set[str] = set()

    # What the wire asks.
    def reachable(self) -> bool:
        """Say whether it answers: it is up, WinRM has a listener, and the firewall lets the controller in."""
        remoting = self.remoting
        if remoting is None:
            return super().reachable()
        rules = [remoting.rule] if remoting.rule else []
        through = admits(self.networks, self.firewall, rules, CONTROLLER, 5986)
        return super().reachable() and remoting.running and bool(remoting.names) and through

    def snapshot(self) -> Any:
        """Return what enable_remoting.ps1 may change, to be compared."""
        return copy.deepcopy((self.accounts, self.administrators, self.batch, self.networks, self.remoting))

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
            self.log_off()
            self.wsl_session = None
            self.windows.clear()
            if not self.faults.get("slow_logon"):  # else it takes until desktop_wait is asked
                self.log_on_by_itself()
            for task in self.tasks.values():
                task.state, task.holding = "Ready", False
                if "boot" in task.triggers:
                    self.run_task(task)

    def log_off(self) -> None:
        """Their owner's session ends, with Docker Desktop, windows, tasks in it, and WSL if it was first used there.

        microsoft/WSL, LxssUserSessionFactory.cpp and ServiceMain.cpp: an account has one session of WSL, with the id of
        the Windows session whose program came first; TerminateSession ends it at the log-off of that id, and "sessions
        launched from session zero will only be terminated when the service is stopped".
        """
        self.desktops = []
        self.windows.clear()
        for task in self.tasks.values():
            if task.session:
                task.state, task.holding = "Ready", False
        if self.wsl_session:
            self.wsl_session = None
            self.stop(*[distro for distro in self.registered if distro.owner_sid == self.sid])
        if self.docker:
            self.docker.running = False
        self.integrate()

    def log_on(self, user: str | None = None) -> None:
        """Somebody comes and logs on at the PC: the connecting account's owner, or another."""
        own = user is None or user.lower() == self.account.rpartition("\\")[2].lower()
        self.desktops = [{"sid": OWNER_SID if own else OTHER_SID, "session": 1}]

    def log_on_by_itself(self) -> None:
        """Windows has started: Winlogon logs its user on, if nothing keeps it from that."""
        given = self.automatic_logon
        if given is None or not given.enabled or given.notice or given.password not in self.accounts.values():
            return
        if given.logons_left is not None:
            if not given.logons_left:
                return
            given.logons_left -= 1
            given.enabled = given.logons_left > 0
        self.log_on(given.user)

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
        """Start a task, unless it runs: a second one is not started beside it."""
        if task.state == "Running" or self.faults.get("task_never_runs"):
            return
        if task.password not in self.accounts.values():
            task.last_result = 0x8007052E
        elif task.script and task.script not in self.files:
            task.last_result = 0xFFFD0000  # how powershell.exe says that there is no such -File
        else:
            task.state, task.last_result = "Running", 0x41301
            self.hold(task)

    def first_use(self, session: int) -> None:
        """Note from where WSL is used: what counts is the first one."""
        if self.wsl_session is None:
            self.wsl_session = session

    def later(self) -> float:
        """Return a moment after every one before: two in the same millisecond would have no order."""
        self.moments += 1
        return self.boot + self.moments

    def open_window(self) -> None:
        """Let the owner open a window of WSL at the desktop."""
        self.first_use(1)
        self.windows.append(self.later())
        for distro in self.registered:
            self.starts(distro)

    def mark(self, distribution: str, ending: str = "hold") -> str:
        """Return the file that holds our tasks back: of `windows stop`, or "busy", of a run."""
        return f"C:\\Program Files\\Ready\\{distribution}.{ending}"

    def held(self, distribution: str) -> bool:
        """Return whether our scripts see a mark that counts; a run's is forgotten in `half_an_hour_later`."""
        busy = self.mark(distribution, "busy")
        return self.mark(distribution) in self.files or (busy in self.files and busy not in self.outdated)

    def half_an_hour_later(self) -> None:
        """Let the marks of runs be too old to count; they stay."""
        self.outdated |= {name for name in self.files if name.endswith(".busy")}
        self.minute_later()

    def hold(self, task: Task) -> None:
        """Let the task that runs start its distro, and follow it; a script of ours waits while the mark is there."""
        from tests.simulator.handlers.scripts import portproxy_follow

        distro = self.mine(task.distribution)
        if distro is None or (task.script and self.held(distro.name)) or not self.starts(distro):
            return
        task.holding, task.since = True, self.later()
        self.first_use(task.session)
        if stack := task.named("-Stack"):
            portproxy_follow(self, distro, stack, task.arguments)

    def stop(self, *distros: Registered) -> None:
        """End distros from outside: each wsl.exe of theirs ends with 0xFFFFFFFF (microsoft/WSL#9875).

        A task whose program that was has then ended as well, in state Ready, and Windows does not start it again,
        whatever its settings say of restarts; one that runs a script of ours is in its pause.
        """
        for distro in distros:
            distro.running = False
            distro.inside.terminate()
        names = {distro.name for distro in distros}
        for task in self.tasks.values():
            if task.distribution in names and task.holding:
                task.holding = False
                if not task.script:
                    task.state, task.last_result = "Ready", 0xFFFFFFFF

    def idle(self) -> None:
        """Let 15 seconds pass: a distro without a wsl.exe ends, whatever systemd runs in it (microsoft/WSL#9667)."""
        held = {task.distribution for task in self.tasks.values() if task.holding}
        for distro in self.registered:
            if distro.running and distro.name not in held and not self.windows:
                self.stop(distro)

    def minute_later(self) -> None:
        """Let the pause of our scripts be over."""
        for task in self.tasks.values():
            if task.state == "Running" and not task.holding:
                self.hold(task)

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
