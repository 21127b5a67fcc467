"""Named conditions that a simulated host starts in."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.simulator.firewall import Remoting
from tests.simulator.handlers.state import LXSS, UNINSTALL
from tests.simulator.installed import (
    BUILD_2019,
    BUILD_2022,
    OTHER_SID,
    SETTINGS,
    SYSTEM_SID,
    VM_FEATURE,
    WSL_FEATURE,
    AutomaticLogon,
    DockerDesktop,
)
from tests.simulator.inventory import DISTRO, DOWNLOADS, LOCATION
from tests.simulator.model import Windows
from tests.simulator.task import Task

#: What `netsh interface ipv4 show excludedportrange protocol=tcp` prints: microsoft/WSL#5306, docker/for-win#3171.
#: Hyper-V's own range is administered everywhere.
NETSH = """
Protocol tcp Port Exclusion Ranges

Start Port    End Port
----------    --------
      5357        5357
{}     50000       50059     *

* - Administered port exclusions.

"""
#: How role wsl2 configures a distro: the command, whose orders come on standard input.
CONFIGURE = (Path(__file__).resolve().parents[2] / "scripts" / "linux" / "distro_configure.sh").read_text()
#: The script of the task that keeps a distro.
KEEPALIVE_SCRIPT = Path(__file__).resolve().parents[2] / "scripts" / "windows" / "distro_keep.ps1"


def fresh(host: Windows) -> None:
    """A Windows 11 Pro as it is sold: features off, no WSL package, no Docker Desktop, its owner logged on."""
    host.downloads |= DOWNLOADS


def as_it_comes(host: Windows) -> None:
    """A Windows 11 Pro out of its box: no account for Ready, WinRM off, and a network that Windows calls Public."""
    fresh(host)
    host.accounts = {"anna": "Pw-of-anna-1"}
    host.administrators = {"anna"}
    host.networks[0].category = "Public"
    host.remoting = Remoting()


def fresh_automatic(host: Windows) -> None:
    """The same, and Windows logs its owner on by itself at each start, as Microsoft's Autologon sets it up."""
    fresh(host)
    user, password = next(iter(host.accounts.items()))
    host.automatic_logon = AutomaticLogon(user, password, domain=host.account.partition("\\")[0])


def features_pending(host: Windows) -> None:
    """Somebody enabled the features and did not reboot."""
    fresh(host)
    host.features = {VM_FEATURE: "EnablePending", WSL_FEATURE: "EnabledPending"}


def with_features(host: Windows) -> None:
    """Features on, and nothing else."""
    fresh(host)
    host.features = {VM_FEATURE: "Enabled", WSL_FEATURE: "Enabled"}


def store_wsl_only(host: Windows) -> None:
    """WSL from the Store: only System32's wsl.exe, which does not run in remote sessions."""
    with_features(host)


def with_wsl(host: Windows) -> None:
    """Features and the package, no distro."""
    with_features(host)
    host.wsl_version = "2.6.1.0"


def with_distro(host: Windows) -> None:
    """WSL and the distro as role wsl2 leaves them, no Docker Desktop."""
    with_wsl(host)
    host.registry[LXSS] = {"DefaultVersion": 2}
    host.files[f"{LOCATION}.ready.json"] = json.dumps({"distribution": DISTRO, "made_by": "ready"}).encode()
    distro = host.add_distro(DISTRO, LOCATION)
    distro.inside.shell(CONFIGURE, _orders(host))
    distro.inside.started()
    password = next(iter(host.accounts.values()))
    script = "C:\\Program Files\\Ready\\distro_keep.ps1"
    host.files[script] = KEEPALIVE_SCRIPT.read_bytes()
    arguments = f'-NoProfile -NonInteractive -ExecutionPolicy Bypass -File "{script}" -Distribution {DISTRO}'
    name = f"keep {DISTRO}"
    powershell = "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"
    host.tasks[name] = Task(name, host.account, powershell, arguments, "PT0S", password, ("boot",))
    host.run_task(host.tasks[name])
    distro.running = True


def one_pc(host: Windows) -> None:
    """A PC as bootstrap.ps1 leaves it, its owner at the desktop: the task is what that script registers, if it does."""
    with_distro(host)
    host.tasks.clear()
    host.wsl_session = None
    text = (KEEPALIVE_SCRIPT.parents[2] / "bootstrap.ps1").read_text()
    found = re.search(r"\$arguments = '(.*?)' -f \$script, \$Distribution", text)
    if found is None or "Register-ScheduledTask" not in text:
        return
    arguments = found[1].format("C:\\Program Files\\Ready\\distro_keep.ps1", DISTRO)
    name, powershell = f"keep {DISTRO}", "C:\\Windows\\System32\\WindowsPowerShell\\v1.0\\powershell.exe"
    triggers = tuple(word.lower() for word in re.findall(r"New-ScheduledTaskTrigger -At(\w+)", text))
    password = next(iter(host.accounts.values()))
    task = host.tasks[name] = Task(name, host.account, powershell, arguments, "PT0S", password, triggers)
    host.run_task(task)


def ready(host: Windows) -> None:
    """Everything as the roles leave it."""
    with_distro(host)
    host.docker = DockerDesktop("4.56.0", running=True)
    host.docker_users.add(host.account)
    settings = {
        "WslEngineEnabled": True,
        "IntegratedWslDistros": [DISTRO],
        "AutoStart": True,
        "DisableUpdate": True,
        "OpenUIOnStartupDisabled": True,
        "AnalyticsEnabled": False,
    }
    host.files[SETTINGS] = json.dumps(settings).encode()
    host.integrate()


def mirrored(host: Windows) -> None:
    """Ready, with an engine in the distro, and WSL in mirrored mode."""
    with_distro(host)
    inside: Any = host.registered[0].inside
    inside.mode = "mirrored\n"


def _orders(host: Windows) -> bytes:
    """Return what configures a distro, as the decisions say it."""
    from ready.windows.distro import Options, orders

    from tests.simulator.handlers.state import windows_state

    state = windows_state(host, {"Distribution": DISTRO, "Location": LOCATION, "Inside": "never"})
    return orders(state, Options(DISTRO, LOCATION, "ready"))[0].encode()


def no_virtualization(host: Windows) -> None:
    """Virtualization is off in the firmware."""
    fresh(host)
    host.virtualization = False


def guest_without_nesting(host: Windows) -> None:
    """A virtual machine of Hyper-V as it is made: no virtualization is passed on to it."""
    fresh(host)
    host.guest, host.virtualization = True, False


def server_2022(host: Windows) -> None:
    """A Windows Server 2022, for which Docker Desktop is not made."""
    fresh(host)
    host.caption, host.build, host.product_type = "Microsoft Windows Server 2022 Standard", BUILD_2022, 3


def server_2019(host: Windows) -> None:
    """A Windows Server 2019, which has no WSL 2."""
    fresh(host)
    host.caption, host.build, host.product_type = "Microsoft Windows Server 2019 Standard", BUILD_2019, 3


def docker_desktop_old(host: Windows) -> None:
    """Docker Desktop runs, and an older one than the inventory asks for."""
    ready(host)
    assert host.docker
    host.docker.version = "4.41.2"


def nobody_logged_on(host: Windows) -> None:
    """Everything is there, nobody has a desktop, and Docker Desktop is down."""
    ready(host)
    host.log_off()


def port_taken(host: Windows) -> None:
    """A PostgreSQL of Windows' own holds 5432."""
    ready(host)
    host.listeners = [{"address": "0.0.0.0", "port": 5432, "pid": 4712, "process": "postgres"}]  # noqa: S104


def port_reserved(host: Windows) -> None:
    """Hyper-V keeps a range that 8000 is in."""
    ready(host)
    host.excluded = NETSH.format("      7913        8012\n")


def port_administered(host: Windows) -> None:
    """Somebody kept 8000 from Hyper-V."""
    ready(host)
    host.excluded = NETSH.format("      8000        8000     *\n")


def public_network(host: Windows) -> None:
    """Its network is Public, as Windows 11 calls a new one."""
    ready(host)
    host.networks[0].category = "Public"


def proxy_taken(host: Windows) -> None:
    """Somebody's own port proxy is where one of ours would be."""
    ready(host)
    host.portproxy = {"0.0.0.0/2222": "10.0.0.9/22"}


def other_owner(host: Windows) -> None:
    """The distro is another account's."""
    with_wsl(host)
    host.add_distro(DISTRO, "C:\\Users\\anna\\wsl", owner="PC\\anna", owner_sid=OTHER_SID)


def foreign_distro(host: Windows) -> None:
    """A distro of that name which Ready did not make."""
    with_wsl(host)
    host.add_distro(DISTRO, "C:\\Users\\ready\\AppData\\Local\\wsl\\{1}")


def location_used(host: Windows) -> None:
    """The distro's folder holds something already."""
    with_wsl(host)
    host.files[f"{LOCATION}\\ext4.vhdx"] = b"x"


def gpo_blocks_logon(host: Windows) -> None:
    """A policy took the right to log on as a service from WSL's virtual machines."""
    ready(host)
    host.registered[0].running = False
    host.faults["start_code"] = "Wsl/Service/CreateInstance/CreateVm/HCS/0x80070569"


def wsl_hangs(host: Windows) -> None:
    """wsl.exe waits for something."""
    ready(host)
    host.faults["wsl_hangs"] = True


def windows_unpatched(host: Windows) -> None:
    """The WSL package finds a Windows that lacks the updates that it needs."""
    ready(host)
    host.faults["status_code"] = "Wsl/WSL_E_OS_NOT_SUPPORTED"


def windows_without_updates(host: Windows) -> None:
    """A Windows 11 23H2 as it came in early 2024: WSL's MSI fails in it over the network."""
    with_features(host)
    host.revision = 3155


def system_account(host: Windows) -> None:
    """Ansible connects as SYSTEM."""
    fresh(host)
    host.sid, host.account = SYSTEM_SID, "NT AUTHORITY\\SYSTEM"


def not_elevated(host: Windows) -> None:
    """The account is no administrator."""
    fresh(host)
    host.elevated = False


def settings_broken(host: Windows) -> None:
    """Somebody edited settings-store.json by hand."""
    ready(host)
    host.files[SETTINGS] = b'{"AutoStart": true,'


def settings_with_mark(host: Windows) -> None:
    """PowerShell 5.1 wrote settings-store.json with a byte order mark, which Docker's parser refuses."""
    ready(host)
    assert host.docker
    host.docker.running = False
    host.files[SETTINGS] = b"\xef\xbb\xbf" + host.files[SETTINGS]


def integration_lost(host: Windows) -> None:
    """Docker Desktop forgot its integration with the distro."""
    ready(host)
    host.faults["integration_lost"] = True
    host.integrate()


def clock_behind(host: Windows) -> None:
    """The clock of Windows is ten minutes late."""
    ready(host)
    host.clock_skew = -600.0


def no_uninstall_key(host: Windows) -> None:
    """A profile so new that it lacks the key that the installer of 4.42 crashes without."""
    with_wsl(host)
    del host.registry[UNINSTALL]


def disk_full(host: Windows) -> None:
    """Little room."""
    fresh(host)
    host.disk_free = 5 * 2**30


def disabled_by_edition(host: Windows) -> None:
    """An edition that does not offer the Virtual Machine Platform."""
    fresh(host)
    host.features[VM_FEATURE] = None


CONDITIONS: dict[str, Callable[[Windows], None]] = {
    function.__name__.replace("_", "-"): function
    for function in (
        fresh,
        as_it_comes,
        fresh_automatic,
        features_pending,
        with_features,
        store_wsl_only,
        with_wsl,
        with_distro,
        one_pc,
        ready,
        mirrored,
        no_virtualization,
        guest_without_nesting,
        server_2022,
        server_2019,
        docker_desktop_old,
        nobody_logged_on,
        port_taken,
        port_reserved,
        port_administered,
        public_network,
        proxy_taken,
        other_owner,
        foreign_distro,
        location_used,
        gpo_blocks_logon,
        wsl_hangs,
        windows_unpatched,
        windows_without_updates,
        system_account,
        not_elevated,
        settings_broken,
        settings_with_mark,
        integration_lost,
        clock_behind,
        no_uninstall_key,
        disk_full,
        disabled_by_edition,
    )
}


def host_in(condition: str, name: str = "pc1", **options: Any) -> Windows:
    """Return a host in a named condition."""
    host = Windows(name, **options)
    CONDITIONS[condition](host)
    host.record.clear()
    return host
