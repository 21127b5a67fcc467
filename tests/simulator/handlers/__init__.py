"""One answer per module and script that the project uses."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from tests.simulator.handlers import modules, remoting, scripts, state
from tests.simulator.host import ModuleCall

if TYPE_CHECKING:
    from tests.simulator.model import Windows

MODULES: dict[str, Callable[[Windows, ModuleCall], dict[str, Any]]] = {
    "win_command": modules.win_command,
    "win_file": modules.win_file,
    "win_firewall_rule": modules.win_firewall_rule,
    "win_get_url": modules.win_get_url,
    "win_group_membership": modules.win_group_membership,
    "win_optional_feature": modules.win_optional_feature,
    "win_package": modules.win_package,
    "win_powershell": scripts.win_powershell,
    "win_regedit": modules.win_regedit,
    "win_scheduled_task": modules.win_scheduled_task,
    "win_whoami": modules.win_whoami,
}
SCRIPTS: dict[str, Callable[[Windows, Mapping[str, Any]], dict[str, Any]]] = {
    "enable_remoting": remoting.enable_remoting,
    "desktop_wait": scripts.desktop_wait,
    "docker_desktop_start": scripts.docker_desktop_start,
    "docker_desktop_stop": scripts.docker_desktop_stop,
    "hyperv_rules": scripts.hyperv_rules,
    "keep_tasks": scripts.keep_tasks,
    "latency": scripts.latency,
    "log_tail": scripts.log_tail,
    "native_run": scripts.native_run,
    "windows_state": state.windows_state,
}
