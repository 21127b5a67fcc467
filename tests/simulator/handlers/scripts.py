"""Scripts that change something, by their documented results."""

from __future__ import annotations

import base64
import json
import socket
import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ready.windows.network import PROXY_MARK, distro_address
from ready.windows.ownership import RULE_PREFIX

from tests.simulator.host import ModuleCall
from tests.simulator.session import script_id

if TYPE_CHECKING:
    from tests.simulator.installed import Registered
    from tests.simulator.model import Windows

Result = dict[str, Any]
SCRIPTS = Path(__file__).resolve().parents[3] / "scripts" / "windows"


def win_powershell(host: Windows, call: ModuleCall) -> Result:
    """Run the script by its id: its output is one line of JSON."""
    base = {"changed": True, "host_out": "", "host_err": "", "error": [], "warning": [], "result": {}}
    identity = script_id(str(call.args["script"]))
    if call.check or identity is None:
        return {"failed": True, "changed": False, "msg": f"not one of our scripts, or in check mode: {identity}"}
    try:
        return base | {"output": [json.dumps(host.run_script(identity, call.args.get("parameters") or {}))]}
    except RuntimeError as error:  # what the script throws
        return base | {
            "failed": True,
            "msg": str(error),
            "output": [],
            "error": [{"exception": {"message": str(error)}}],
        }


def ran(code: int | None, out: str | bytes = "", err: str | bytes = "", *, wide: bool = False) -> Result:
    """Return a program's end as native_run says it; `wide` is the UTF-16 of an old wsl.exe."""

    def encode(text: str | bytes) -> str:
        data = text if isinstance(text, bytes) else text.encode("utf-16-le" if wide else "utf-8")
        return base64.b64encode(data).decode()

    return {"rc": code, "timed_out": code is None, "stdout": encode(out), "stderr": encode(err)}


def failed(code: str) -> Result:
    """Return how wsl.exe reports a failure: a sentence in the user's language, here German, the code, and -1."""
    return ran(-1, f"Der Vorgang konnte nicht ausgeführt werden.\r\nFehlercode: {code}\r\n")


def native_run(host: Windows, parameters: Mapping[str, Any]) -> Result:
    """Run wsl.exe or docker.exe."""
    if error := host.faults.get("native_error"):  # what the script throws may quote a parameter
        raise RuntimeError(str(error).format(**parameters))
    words = [str(word) for word in parameters["Arguments"]]
    stdin = base64.b64decode(str(parameters.get("Stdin", "")))
    before = len(host.record)
    program = wsl if parameters.get("Program", "wsl") == "wsl" else docker
    result = program(host, words, stdin)
    if len(host.record) == before:
        host.note("program", " ".join(words[:2]), {"arguments": words}, changed=result["rc"] == 0)
    return {"missing": None, "program": "wsl.exe" if program is wsl else "docker.exe", **result}


def wsl(host: Windows, words: list[str], stdin: bytes) -> Result:
    """wsl.exe of the package."""
    if host.wsl_version is None:
        return {**ran(None), "timed_out": False, "missing": "C:\\Program Files\\WSL\\wsl.exe"}
    if host.sid == "S-1-5-18":
        return failed("Wsl/WSL_E_LOCAL_SYSTEM_NOT_SUPPORTED")
    host.first_use(0)
    if host.faults.get("wsl_hangs"):
        return ran(None)
    if words[0] == "--import":
        return _import(host, words)
    if words[0] == "--shutdown":
        host.stop(*host.registered)
        if host.docker:
            host.docker.running = False
        return ran(0)
    distro = host.mine(words[1])
    if distro is None:
        return failed("Wsl/Service/WSL_E_DISTRO_NOT_FOUND")
    if words[0] == "--terminate":
        host.stop(distro)
        return ran(0)
    if words[0] == "--unregister":
        host.drop_distro(distro)
        return ran(0)
    assert words[0] == "-d", words
    if not host.starts(distro):
        return failed(host.start_fault())
    at = words.index("--exec") + 1
    command = words[-1] if words[at] == "/bin/sh" else " ".join(words[at:])
    code, out, err = distro.inside.shell(command, stdin)
    return ran(code, out, err)


def _import(host: Windows, words: list[str]) -> Result:
    name, location, source = words[1:4]
    if host.mine(name):
        return failed("Wsl/Service/RegisterDistro/ERROR_ALREADY_EXISTS")
    if host.faults.get("location_taken"):
        return failed("Wsl/Service/RegisterDistro/ERROR_FILE_EXISTS")
    if source not in host.files:
        return failed("Wsl/ERROR_FILE_NOT_FOUND")
    if code := host.start_fault():
        return failed(code)
    host.add_distro(name, location)
    return ran(0)


def docker(host: Windows, words: list[str], _stdin: bytes) -> Result:
    """docker.exe of Docker Desktop."""
    assert host.docker is not None
    if words == ["desktop", "stop"]:
        host.docker.running = bool(host.faults.get("docker_never_stops"))
        host.integrate()
        return ran(None, "", STILL_RUNNING) if clients(host) else ran(0)
    raise LookupError(f"docker {words}")


#: What `docker desktop stop` of 4.56 says when it is ended while it waits for any wsl.exe: docker/for-win#15029.
STILL_RUNNING = (
    "stopping Docker Desktop: processes still running: C:\\Program Files\\WSL\\wsl.exe (44712) "
    "C:\\Windows\\System32\\wsl.exe (51996): context canceled\n"
)


def clients(host: Windows) -> int:
    """Return how many wsl.exe run: those of our tasks, and windows of somebody's."""
    return sum(task.holding for task in host.tasks.values()) + len(host.windows)


def docker_desktop_stop(host: Windows, parameters: Mapping[str, Any]) -> Result:
    """Ask it to stop; what counts is that its programs end."""
    answer = docker(host, ["desktop", "stop"], b"")
    assert host.docker is not None
    running = host.docker.running
    host.note("script", "docker_desktop_stop", {**parameters, "clients": clients(host)}, changed=True)
    return {
        "stopped": not running,
        "waited": float(parameters["Timeout"]) if running else 8.2,
        "processes": ["Docker Desktop", "com.docker.backend"] if running else [],
        "command": answer["rc"],
        "output": [STILL_RUNNING.strip()] if answer["rc"] is None else [],
        "clients": clients(host),
    }


def task_settings() -> set[str]:
    """Return what docker_desktop_start.ps1 says of its task's settings; what it does not say is as Windows has it.

    New-ScheduledTaskSettingsSet on Microsoft Learn: by default a task is not started on battery, it is ended when mains
    power goes, and after three days. One that may not start yet is in state Queued.
    """
    text = (SCRIPTS / "docker_desktop_start.ps1").read_text()
    return set(text.partition("New-ScheduledTaskSettingsSet ")[2].partition("\n")[0].split())


def docker_desktop_start(host: Windows, parameters: Mapping[str, Any]) -> Result:
    """Start it: that takes a desktop session of the account."""
    assert host.docker is not None
    session = any(desktop["sid"] == host.sid for desktop in host.desktops)
    waits = bool(host.faults.get("on_battery")) and "-AllowStartIfOnBatteries" not in task_settings()
    comes_up = session and not waits and not host.faults.get("engine_never")
    host.docker.running = comes_up
    host.integrate()
    host.note("script", "docker_desktop_start", parameters, changed=True)
    return {
        "started": session,
        "task": None if comes_up else {"state": "Queued" if waits else "Ready", "last_result": 0x41303},
        "engine": host.docker.engine if comes_up else None,
        "waited": 21.4 if comes_up else float(parameters["Timeout"]),
        "processes": ["Docker Desktop", "com.docker.backend"] if session and not waits else [],
        "log": [] if comes_up or waits else ["engine linux/wsl failed to start: context deadline exceeded"],
    }


def keep_tasks(host: Windows, parameters: Mapping[str, Any]) -> Result:
    """Hold our tasks back, or let them run: what the script waits for has come, unless `faults` says otherwise."""
    wanted, by = parameters["Wanted"], parameters.get("By", "run")
    hold, busy = (host.mark(str(parameters["Distribution"]), ending) for ending in ("hold", "busy"))
    names = list(parameters.get("Tasks", []))
    ours = [task for name, task in host.tasks.items() if name in names]
    if wanted == "hold":
        host.outdated.discard(busy)
        host.files[hold if by == "stop" else busy] = b"Ready: tasks do not start this distro while this file is here"
        for task in ours:
            if task.state == "Running":
                task.state, task.last_result = "Ready", 0x41306  # ended by somebody
            task.holding = task.holding and bool(host.faults.get("holder_stays"))
    else:
        for mark in [busy] + [hold] * (by == "stop"):
            host.files.pop(mark, None)
        if hold not in host.files:
            for task in ours:
                host.run_task(task)
            host.minute_later()
    host.note("script", "keep_tasks", parameters, changed=True)
    return {
        "wanted": wanted,
        "tasks": [{"name": task.name, "state": task.state, "last_result": task.last_result} for task in ours],
        "missing": [name for name in names if name not in host.tasks],
        "held": hold in host.files,
        "holders": [9000 + at for at, task in enumerate(host.tasks.values()) if task.holding],
        "waited": 0.4,
    }


def desktop_wait(host: Windows, parameters: Mapping[str, Any]) -> Result:
    """Wait for a desktop of the account: what Winlogon does by itself comes meanwhile, or never."""
    if not host.desktops:
        host.log_on_by_itself()
    session = any(desktop["sid"] == host.sid for desktop in host.desktops)
    host.note("script", "desktop_wait", parameters)
    return {"session": session, "waited": 12.0 if session else float(parameters["Timeout"])}


def hyperv_rules(host: Windows, parameters: Mapping[str, Any]) -> Result:
    """Make and remove rules of the Hyper-V firewall."""
    made, removed = [], []
    for text in parameters.get("Make", []):
        name, port, addresses, profiles = str(text).split("|")
        assert name.startswith(f"{RULE_PREFIX} "), name
        host.hyperv_rules[name] = {
            "name": name,
            "enabled": True,
            "direction": "Inbound",
            "action": "Allow",
            "protocol": "TCP",
            "ports": [port],
            "remote": addresses.split(","),
            "profiles": profiles.split(","),
        }
        made.append(name)
    for name in parameters.get("Remove", []):
        assert name.startswith(f"{RULE_PREFIX} "), name
        if host.hyperv_rules.pop(name, None):
            removed.append(name)
    host.note("script", "hyperv_rules", parameters, changed=bool(made or removed))
    return {"made": made, "removed": removed}


def portproxy_follow(host: Windows, distro: Registered, stack: str, arguments: str) -> None:
    """What the task's script does after the distro has started: lead the proxies that rules mark to its address."""
    script = arguments.partition('-File "')[2].partition('"')[0]
    if script not in host.files:
        return
    address = distro_address({"inside": {"values": distro.inside.values("")}})
    for name in host.rules:
        words = name.split()
        if words[:2] == [RULE_PREFIX, stack] and words[-1] == PROXY_MARK:
            host.portproxy[f"0.0.0.0/{words[-2]}"] = f"{address}/{words[-2]}"


def log_tail(host: Windows, parameters: Mapping[str, Any]) -> Result:
    """The end of a log."""
    return {
        "path": parameters["Path"],
        "lines": host.logs.get(str(parameters["Path"]), [])[-int(parameters["Lines"]) :],
    }


_QUESTIONS = {
    "http": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    "redis": b"PING\r\n",
    "postgresql": bytes([0, 0, 0, 8, 4, 210, 22, 47]),
    "bolt": bytes([0x60, 0x60, 0xB0, 0x17, 0, 4, 4, 5, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]),
}


def latency(host: Windows, parameters: Mapping[str, Any]) -> Result:
    """Measure for real, from here: the way is this machine's loopback, and not Windows'."""
    results = []
    for target in parameters["Targets"]:
        name, port, protocol = str(target).split("|")
        connects: list[float] = []
        trips: list[float] = []
        problem = None
        for number in range(int(parameters.get("Samples", 50)) + 5):
            try:
                begin = time.perf_counter()
                with socket.create_connection(
                    ("127.0.0.1", int(port)), float(parameters.get("Timeout", 2000)) / 1000
                ) as way:
                    connected = time.perf_counter()
                    question = _QUESTIONS.get(protocol)
                    if question:
                        way.sendall(question)
                        assert way.recv(1)
                    answered = time.perf_counter()
            except (OSError, AssertionError) as error:
                problem = str(error) or "the connection was closed without an answer"
                break
            if number >= 5:
                connects.append(round((connected - begin) * 1000, 4))
                if question:
                    trips.append(round((answered - connected) * 1000, 4))
        results.append(
            {"name": name, "port": int(port), "protocol": protocol, "connect_ms": connects, "round_trip_ms": trips}
            | {"error": problem}
        )
    return {"frequency": 10_000_000, "targets": results}
