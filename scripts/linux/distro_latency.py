# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Measures inside of the distro what scripts/windows/latency.ps1 measures on Windows, by the same questions.

usage: distro_latency.py BASE64 of {
  "targets": ["name|port|protocol"]: ports on 127.0.0.1,
  "containers": [{"name", "container", "network", "port", "protocol"}]: the same services in the containers' network,
  "back": ports of programs on Windows; "backend": desktop or engine, which says what a container calls Windows,
  "source": this file, for a container to run,
  "samples": 50, "timeout": milliseconds}.
No quotes pass through wsl.exe. Prints what latency.ps1 prints, and beside it "containers": the same, and the place that
it was `measured_from`. And "back": the same of the path to Windows, from the distro and from a container, with
`measured_from` ("" when nobody could ask) and `to`, the address.

The containers' network is reached from here where Docker runs in the distro. Docker Desktop's is in a virtual machine
of its own: there a container of the stack measures, if one has Python.
"""

from __future__ import annotations

import base64
import json
import socket
import struct
import subprocess
import sys
import time

WARM_UP = 5
QUESTIONS = {
    "http": b"GET / HTTP/1.1\r\nHost: 127.0.0.1\r\nConnection: close\r\n\r\n",
    "redis": b"PING\r\n",
    "postgresql": bytes([0, 0, 0, 8, 4, 210, 22, 47]),
    "bolt": bytes([0x60, 0x60, 0xB0, 0x17, 0, 4, 4, 5, 0, 0, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0]),
}
#: Seconds until an address on the same machine that does not answer is one that can't be reached.
PATIENCE = 1.0


def measure(name: str, host: str, port: int, protocol: str, samples: int, timeout: float) -> dict[str, object]:
    """Return a target's measurements, as latency.ps1 does."""
    question = QUESTIONS.get(protocol)
    connects: list[float] = []
    trips: list[float] = []
    problem = None
    for number in range(samples + WARM_UP):
        try:
            begin = time.perf_counter()
            with socket.create_connection((host, port), timeout) as stream:
                connected = time.perf_counter()
                stream.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                if question:
                    asked = time.perf_counter()
                    stream.sendall(question)
                    if not stream.recv(1):
                        raise ConnectionError("the connection was closed without an answer")
                    answered = time.perf_counter()
        except OSError as error:
            problem = str(error)
            break
        if number >= WARM_UP:
            connects.append(round((connected - begin) * 1000, 4))
            if question:
                trips.append(round((answered - asked) * 1000, 4))
    return {
        "name": name,
        "port": port,
        "protocol": protocol,
        "connect_ms": connects,
        "round_trip_ms": trips,
        "error": problem,
    }


def docker(arguments: list[str], timeout: float, stdin: bytes = b"") -> bytes:
    """Return what Docker's command line prints. Raises OSError, with its words, when it fails."""
    try:
        done = subprocess.run(  # noqa: S603
            ["docker", *arguments],  # noqa: S607
            input=stdin,
            capture_output=True,
            timeout=timeout,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise OSError(str(error)) from error
    if done.returncode != 0:
        raise OSError(done.stderr.decode(errors="replace").strip()[-200:] or f"docker ended with {done.returncode}")
    return done.stdout


def address(container: str, network: str, timeout: float) -> str:
    """Return a container's address in a network. Raises OSError."""
    found = json.loads(docker(["inspect", "--format", "{{json .NetworkSettings.Networks}}", container], timeout))
    its = found.get(network, {}).get("IPAddress")
    if not its:
        raise OSError(f"{container} has no address in the network {network}: it does not run")
    return str(its)


def reached(targets: list[dict[str, object]]) -> bool:
    """Say whether one of the addresses accepts a connection from here."""
    for item in targets:
        try:
            socket.create_connection((str(item["host"]), int(str(item["port"]))), PATIENCE).close()
        except OSError:
            continue
        return True
    return False


def from_container(
    given: dict[str, object], targets: list[dict[str, object]], candidates: list[str]
) -> list[dict[str, object]]:
    """Return the measurements that the first of the containers with a Python makes. Raises OSError."""
    inner = {**given, "targets": [], "containers": targets, "inside": True, "source": "", "back": []}
    argument = base64.b64encode(json.dumps(inner).encode()).decode()
    limit = 10 + len(targets) * float(str(given["timeout"])) / 1000
    said = "the stack has no container"
    for container in dict.fromkeys(candidates):
        command = ["exec", "-i", container, "python3", "-I", "-", argument]
        try:
            found = json.loads(docker(command, limit, base64.b64decode(str(given["source"]))))["containers"]
        except (OSError, ValueError) as error:
            said = f"{container}: {error}"
            continue
        return [{**item, "measured_from": container} for item in found]
    raise OSError(f"no container has Python ({said})")


def in_network(given: dict[str, object]) -> list[dict[str, object]]:
    """Return the measurements at the containers' own addresses; one that can't be made says why."""
    wanted = list(given["containers"])  # type: ignore[call-overload]
    samples, timeout = int(str(given["samples"])), float(str(given["timeout"])) / 1000
    lost: list[dict[str, object]] = []
    targets = []
    for item in wanted:
        try:
            host = item["host"] if "host" in item else address(item["container"], item["network"], 5 + timeout)
        except (OSError, ValueError) as error:
            empty: dict[str, object] = {"connect_ms": [], "round_trip_ms": [], "error": str(error), "measured_from": ""}
            lost.append({"name": item["name"], "port": item["port"], "protocol": item["protocol"], **empty})
        else:
            targets.append({**item, "host": host})
    if not targets or given.get("inside") or reached(targets):
        made = [
            {
                **measure(item["name"], item["host"], item["port"], item["protocol"], samples, timeout),
                "measured_from": "distro",
            }
            for item in targets
        ]
        return [*made, *lost]
    try:
        return [*from_container(given, targets, [str(item["container"]) for item in targets]), *lost]
    except OSError as error:
        why = f"the containers' addresses can't be reached from the distro, and {error}"
        empty = {"connect_ms": [], "round_trip_ms": [], "error": why, "measured_from": ""}
        keys = ("name", "port", "protocol")
        return [*({**{key: item[key] for key in keys}, **empty} for item in targets), *lost]


def windows_address() -> str:
    """Return the address of Windows in the distro: its own in mirrored mode, else the gateway. Raises OSError."""
    try:
        asked = subprocess.run(
            ["wslinfo", "--networking-mode"],  # noqa: S607
            capture_output=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):  # WSL before 2.0.4 has no wslinfo, and no mirrored mode
        mode = b""
    else:
        mode = asked.stdout.strip().lower()
    if mode == b"mirrored":
        return "127.0.0.1"
    with open("/proc/net/route", encoding="ascii") as routes:
        for line in routes:
            words = line.split()
            if words[1] == "00000000":
                return socket.inet_ntoa(struct.pack("<L", int(words[2], 16)))
    raise OSError("the distro has no default gateway")


def to_windows(given: dict[str, object]) -> list[dict[str, object]]:
    """Return the measurements of the path to Windows, from here and from a container; what can't be made says why."""
    ports = [int(port) for port in given.get("back", [])]  # type: ignore[attr-defined]
    if not ports:
        return []
    samples, timeout = int(str(given["samples"])), float(str(given["timeout"])) / 1000
    names = [str(item["container"]) for item in given["containers"]]  # type: ignore[attr-defined]
    try:
        here, why = windows_address(), ""
    except OSError as error:
        here, why = "", str(error)
    found: list[dict[str, object]] = []
    for port in ports:
        empty = {"name": str(port), "port": port, "protocol": "tcp", "connect_ms": [], "round_trip_ms": []}
        one = measure(str(port), here, port, "tcp", samples, timeout) if here else {**empty, "error": why}
        found.append({**one, "measured_from": "distro" if here else "", "to": here})
    # Docker Desktop's containers have a name for Windows. Those of an engine in the distro take the distro's path:
    # it ends in their own loopback in mirrored mode.
    there = "host.docker.internal" if given.get("backend") == "desktop" else "" if here == "127.0.0.1" else here
    targets: list[dict[str, object]] = [
        {"name": str(port), "host": there, "port": port, "protocol": "tcp"} for port in ports
    ]
    try:
        if not there:
            raise OSError(why or "in mirrored mode a container of an engine in the distro has no address of Windows")
        made = from_container(given, targets, names)
    except OSError as error:
        blank: dict[str, object] = {"connect_ms": [], "round_trip_ms": [], "error": str(error), "measured_from": ""}
        made = [{**{key: item[key] for key in ("name", "port", "protocol")}, **blank} for item in targets]
    return [*found, *({**item, "to": there} for item in made)]


if __name__ == "__main__":
    given = json.loads(base64.b64decode(sys.argv[1]))
    found = []
    for item in given["targets"]:
        name, port, protocol = item.split("|")
        found.append(measure(name, "127.0.0.1", int(port), protocol, given["samples"], given["timeout"] / 1000))
    print(json.dumps({"targets": found, "containers": in_network(given), "back": to_windows(given)}))
