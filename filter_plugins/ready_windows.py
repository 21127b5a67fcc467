# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decisions about a Windows host, as filters over the fact `ready_windows`."""

from __future__ import annotations

import base64
import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleFilterError

SCRIPTS = Path(__file__).resolve().parent.parent / "scripts"
sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready import preflight, schema  # noqa: E402  # Ansible offers module_utils to modules alone
from ready.definitions import parse_size  # noqa: E402
from ready.evidence import plain  # noqa: E402
from ready.windows import dockerdesktop, names, network, overhead, removal, said, wayback, wsl  # noqa: E402
from ready.windows import preflight as windows_preflight  # noqa: E402


def ready_windows_facts(read: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Return the fact `ready_windows`; the state is held against its schema."""
    state = plain(read["result"])
    if messages := schema.faults(state, "windows_state.schema.json"):
        raise AnsibleFilterError(
            f"the state is not what scripts/windows/windows_state.ps1 promises: {'; '.join(messages[:3])}. "
            "Next: ./ready diagnose, and send what it prints"
        )
    return names.facts({**read, "result": state}, **options)


def ready_windows_preflight(
    windows: Mapping[str, Any], disk_free: str | int, clock_skew: float
) -> list[dict[str, str]]:
    """Return the checks of role windows_preflight."""
    return windows_preflight.evaluate(
        windows["state"],
        before=windows["before"],
        after=windows["after"],
        disk_free=parse_size(disk_free),
        clock_skew=float(clock_skew),
    )


def _fit(windows: Mapping[str, Any]) -> bool:
    """Return whether the state says enough for plans: what is not known at all makes windows_preflight fail."""
    return all(windows["state"][part] is not None for part in windows_preflight.NEEDED)


def ready_wsl2(windows: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Return the plan of role wsl2."""
    if not _fit(windows):
        return {"checks": [], "steps": []}
    given = {key: windows[key] for key in ("distribution", "location", "user")}
    given["disk_limit"] = parse_size(options.pop("disk_limit", 0) or 0)
    return wsl.plan(windows["state"], **given, **plain(options))


def ready_docker_desktop(windows: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Return the plan of role docker_desktop."""
    if not _fit(windows):
        return {"checks": [], "steps": [], "wanted": False}
    given = {key: windows[key] for key in ("distribution", "backend")}
    return dockerdesktop.plan(windows["state"], **given, **plain(options))


def ready_windows_network(windows: Mapping[str, Any], stack: Mapping[str, Any], **options: Any) -> dict[str, Any]:
    """Return the plan of role windows_network."""
    if not _fit(windows):
        return {"checks": [], "steps": []}
    given = {key: windows[key] for key in ("distribution", "backend")}
    given |= {"stack": stack["name"], "ports": names.ports(stack)}
    given["follower"] = hashlib.sha256((SCRIPTS / "windows" / network.FOLLOWER).read_bytes()).hexdigest()
    return network.plan(windows["state"], **given, **plain(options))


def ready_windows_removal(windows: Mapping[str, Any], stack: Mapping[str, Any], distro: bool) -> dict[str, Any]:
    """Return what destroy may remove."""
    return removal.removal(windows["state"], stack=stack["name"], distribution=windows["distribution"], distro=distro)


def ready_windows_said(run: Mapping[str, Any], what: str, host: str) -> str:
    """Return a message about a run of native_run.ps1 that failed, "" when it did not."""
    fault = said.fault(run)
    return f"{host}: {what}: found {fault.meaning}; expected exit code 0. Next: {fault.next}." if fault else ""


def ready_windows_changed(run: Mapping[str, Any]) -> list[str]:
    """Return what distro_configure.sh says that it changed."""
    return said.lines(run["stdout"])


def ready_windows_linux_script(name: str) -> str:
    """Return a script of scripts/linux, base64; a shell script unless its name says otherwise."""
    return base64.b64encode((SCRIPTS / "linux" / (name if "." in name else f"{name}.sh")).read_bytes()).decode()


def ready_windows_overhead(outside: Mapping[str, Any], inside: Mapping[str, Any], host: str) -> dict[str, Any]:
    """Return the overhead: what latency.ps1 measured on Windows, over a run of distro_latency.py in the distro."""
    if message := ready_windows_said(inside, "measurement inside of the distro", host):
        raise AnsibleFilterError(message)
    found = json.loads(said.text(inside["stdout"]))
    over = overhead.overhead(plain(outside["targets"]), found["targets"], found["containers"])
    return {**over, "back": wayback.way_back(found["back"])}


def ready_windows_ways_fault(found: Mapping[str, Any], host: str) -> str:
    """Return what is wrong with the way from Windows, and the way back, "" when nothing is."""
    return " ".join(filter(None, (overhead.fault(found, host), wayback.fault(found["back"], host))))


def ready_windows_targets(stack: Mapping[str, Any]) -> list[str]:
    """Return what is measured, as latency.ps1 takes it."""
    return [f"{item['service']}.{item['name']}|{item['port']}|{item['protocol']}" for item in names.ports(stack)]


def ready_windows_inside(stack: Mapping[str, Any], samples: int, back: Sequence[int], backend: str) -> str:
    """Return the argument of distro_latency.py: what is measured in the distro, at the containers, and back."""
    given = {
        "targets": ready_windows_targets(stack),
        "containers": [
            {
                "name": f"{name}.{port['name']}",
                "container": service["container"],
                "network": stack["network"],
                "port": port["container"],
                "protocol": port["protocol"],
            }
            for name, service in stack["services"].items()
            for port in service["ports"]
        ],
        "back": [int(port) for port in back],
        "backend": backend,
        "source": ready_windows_linux_script("distro_latency.py"),
        "samples": int(samples),
        "timeout": 2000,
    }
    return base64.b64encode(json.dumps(plain(given)).encode()).decode()


def ready_windows_steps(plans: Sequence[Mapping[str, Any]]) -> list[str]:
    """Return what the roles would do, a line each."""
    steps = [step for plan in plans for step in plan["steps"]]
    return [f"would {step}" for step in steps] or ["nothing would be changed"]


def ready_windows_report(hostvars: Mapping[str, Any], hosts: Sequence[str]) -> str:
    """Return state, checks and steps of each host, as JSON; where there was a fault, that, and what was read at all."""
    report: dict[str, Any] = {}
    for host in hosts:
        own = hostvars[host]
        if fault := own.get("_diagnose_fault"):
            read = own.get("__windows_preflight_read") or {}
            report[host] = {"fault": fault, "state": read.get("result"), "raw": read.get("raw")}
            continue
        plans = [own[name] for name in ("_wsl2", "_docker_desktop", "_windows_network")]
        report[host] = {
            "state": own["ready_windows"]["state"],
            "checks": own["_windows_preflight"] + [check for plan in plans for check in plan["checks"]],
            "steps": [step for plan in plans for step in plan["steps"]],
        }
    return json.dumps(plain(report), indent=2) + "\n"


class FilterModule:
    """Filters over the state of a Windows host."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        """Return them by name."""
        return {
            "ready_windows_facts": ready_windows_facts,
            "ready_windows_preflight": ready_windows_preflight,
            "ready_windows_verdict": preflight.verdict,
            "ready_windows_failures": lambda checks, host: preflight.failures(host, checks),
            "ready_wsl2": ready_wsl2,
            "ready_docker_desktop": ready_docker_desktop,
            "ready_docker_desktop_started": dockerdesktop.started,
            "ready_docker_desktop_install_fault": dockerdesktop.install_fault,
            "ready_windows_network": ready_windows_network,
            "ready_windows_overhead": ready_windows_overhead,
            "ready_windows_overhead_rows": overhead.rows,
            "ready_windows_ways_fault": ready_windows_ways_fault,
            "ready_windows_back_rows": wayback.rows,
            "ready_windows_targets": ready_windows_targets,
            "ready_windows_inside": ready_windows_inside,
            "ready_windows_ports": names.ports,
            "ready_windows_removal": ready_windows_removal,
            "ready_windows_report": ready_windows_report,
            "ready_windows_steps": ready_windows_steps,
            "ready_windows_schedules": lambda hostvars, host: wsl.schedules(host, hostvars),
            "ready_windows_said": ready_windows_said,
            "ready_windows_changed": ready_windows_changed,
            "ready_windows_linux_script": ready_windows_linux_script,
        }
