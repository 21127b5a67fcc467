"""What the simulator answers, as a file for the Pester suite: `python -m tests.simulator.recorded [--check]`.

The suite runs the scripts on a real PC and compares: so one run there tells which assumption of the simulator is wrong.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from tests.simulator import conditions, inventory
from tests.simulator.distro import own_failure
from tests.simulator.handlers.scripts import failed, hyperv_rules, log_tail, wsl
from tests.simulator.handlers.state import windows_state

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "tests" / "windows" / "pester" / "recorded.json"
SCHEMA = ROOT / "schemas" / "windows_state.schema.json"
NO_DISTRO = "ready-no-such-distro"
MOMENT = "2026-01-01T00:00:00.000Z"
_FEATURE = ["Enabled", "Disabled", "EnablePending", "EnabledPending", "DisablePending", "DisabledWithPayloadRemoved"]
#: What Windows says by a word: where it stands in the state, and which are known. Public reference: the enumerations of
#: ScheduledTasks, NetSecurity, ServiceControllerStatus and DismPackageFeatureState.
WORDS: dict[str, list[str]] = {
    "features.VirtualMachinePlatform": _FEATURE,
    "features.Microsoft-Windows-Subsystem-Linux": _FEATURE,
    "os.architecture": ["AMD64", "ARM64"],
    "wsl.vm_service": ["Running", "Stopped", "StartPending", "StopPending"],
    "tasks[].state": ["Unknown", "Disabled", "Queued", "Ready", "Running"],
    "network.interfaces[].category": ["Public", "Private", "DomainAuthenticated"],
    "network.firewall[].name": ["Domain", "Private", "Public"],
    "network.rules[].direction": ["Inbound", "Outbound"],
    "network.rules[].action": ["NotConfigured", "Allow", "Block"],
    "network.hyperv_rules[].direction": ["Inbound", "Outbound"],
    "network.hyperv_rules[].action": ["NotConfigured", "Allow", "Block"],
}
_RULE = "Ready pester test 65001"


def _state() -> dict[str, Any]:
    """Return the state of a PC that has everything, with times that do not change."""
    host = conditions.host_in("ready")
    host.listeners = [{"address": "127.0.0.1", "port": 5432, "pid": 4, "process": "System"}]
    host.excluded = conditions.NETSH.format("     50000       50059     *\n")
    host.portproxy = {"0.0.0.0/2222": "172.28.96.2/2222"}
    hyperv_rules(host, {"Make": [f"{_RULE}|65001|192.0.2.1|Domain,Private"], "Remove": []})
    host.rules = {_RULE: dict(host.hyperv_rules[_RULE])}
    host.files["C:\\Program Files\\Ready\\portproxy_follow.ps1"] = b"x"
    asked = {
        "Distribution": inventory.DISTRO,
        "Location": inventory.LOCATION,
        "Ports": [5432],
        "Inside": "running",
        "InsideScript": "",
    }
    state = windows_state(host, asked)
    state["os"] |= {"boot_time": MOMENT, "time": MOMENT}
    state["finished"] = MOMENT
    for client in state["wsl"]["clients"]:
        client["started"] = MOMENT
    for key in ("time", "os_release"):
        state["inside"]["values"][key] = ""
    state["inside"]["run"] |= {"stdout": "", "stderr": ""}
    return state


def _arrays(schema: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield the places of a state that hold a list always, by its schema: one that is null lost its brackets."""
    for name, entry in schema.get("properties", {}).items():
        here = f"{path}.{name}".lstrip(".")
        if entry.get("type") == "array":
            yield here
        yield from _arrays(entry, here)


def recorded() -> dict[str, Any]:
    """Return everything that the suite compares with."""
    host = conditions.host_in("ready")
    missing = wsl(host, ["-d", NO_DISTRO, "--exec", "/bin/true"], b"")
    no_user = own_failure("", "Wsl/WSL_E_USER_NOT_FOUND")
    assert missing == failed("Wsl/Service/WSL_E_DISTRO_NOT_FOUND")
    rules = hyperv_rules(host, {"Make": [f"{_RULE}|65001|192.0.2.1|Domain,Private"], "Remove": []})
    return {
        "made_by": "python -m tests.simulator.recorded",
        "state": _state(),
        "arrays": list(_arrays(json.loads(SCHEMA.read_text(encoding="utf-8")))),
        "words": WORDS,
        "no_distro": {"name": NO_DISTRO, "rc": missing["rc"], "code": "Wsl/Service/WSL_E_DISTRO_NOT_FOUND"},
        "no_user": {"rc": json.loads(no_user[1:])["rc"], "code": "WSL_E_USER_NOT_FOUND"},
        "errors_on": "stdout" if missing["stdout"] and not missing["stderr"] else "stderr",
        "after_kill": "runs",
        "log_tail": log_tail(host, {"Path": "C:\\ready-no-such.log", "Lines": 20}),
        "hyperv_rule": {
            "asked": f"{_RULE}|65001|192.0.2.1|Domain,Private",
            "made": rules["made"],
            "state": host.hyperv_rules[_RULE],
        },
    }


def text() -> str:
    """Return the file's text."""
    return json.dumps(recorded(), indent=1, sort_keys=True) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Write the file, or say that it is stale."""
    parser = argparse.ArgumentParser(prog="python -m tests.simulator.recorded", description=__doc__)
    parser.add_argument("--check", action="store_true", help="change nothing; exit 1 when it is stale")
    if parser.parse_args(argv).check:
        return 0 if FILE.read_text(encoding="utf-8") == text() else 1
    FILE.write_text(text(), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
