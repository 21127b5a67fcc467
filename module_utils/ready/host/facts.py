# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read what a host is and has, without changing anything. Standard library only: Docker may be absent."""

from __future__ import annotations

import contextlib
import csv
import importlib.metadata
import importlib.util
import io
import os
import platform
import re
import resource
import shutil
import socket
import ssl
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from .engine_probe import probe
from .sockets import parse_sockets

SYSTEM32 = "/mnt/c/Windows/System32"  # by full path: a WSL distro's PATH need not have Windows' (appendWindowsPath)
CAP_SYS_RESOURCE = 24
PROXY_NAMES = ("http_proxy", "https_proxy", "no_proxy")
CA_NAMES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE", "PIP_CERT")


def _read(path: str | Path) -> str:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return ""


def parse_os_release(text: str) -> dict[str, str]:
    """Return /etc/os-release as a mapping with lower-case keys."""
    pairs = re.findall(r'^([A-Z_]+)=(?:"([^"]*)"|(.*))$', text, re.MULTILINE)
    return {key.lower(): quoted or plain for key, quoted, plain in pairs}


def parse_meminfo(text: str) -> dict[str, int]:
    """Return total and available memory in bytes from /proc/meminfo."""
    found = {key: int(kib) * 1024 for key, kib in re.findall(r"^(\w+):\s+(\d+) kB$", text, re.MULTILINE)}
    return {"total": found.get("MemTotal", 0), "available": found.get("MemAvailable", found.get("MemFree", 0))}


def _links(directory: str) -> list[str]:
    links = []
    with contextlib.suppress(OSError):  # the process ended meanwhile, or is another user's
        for descriptor in os.listdir(directory):
            with contextlib.suppress(OSError):  # this one was closed meanwhile
                links.append(os.readlink(f"{directory}/{descriptor}"))  # thousands: a Path of each costs more than this
    return links


def _socket_owners(inodes: set[str]) -> dict[str, tuple[int, str]]:
    """Return inode -> (pid, process name) as far as this user may see."""
    owners: dict[str, tuple[int, str]] = {}
    for process in Path("/proc").iterdir():
        if not process.name.isdigit():
            continue
        if len(owners) == len(inodes):
            break
        for link in _links(f"{process}/fd"):
            inode = link[8:-1] if link.startswith("socket:[") else ""
            if inode in inodes:
                owners.setdefault(inode, (int(process.name), _read(process / "comm").strip()))
    return owners


def listening() -> list[dict[str, Any]]:
    """Return what listens on TCP here: {address, port, pid, process}; pid and process are None when hidden."""
    rows = list(parse_sockets("\n".join(_read(f"/proc/net/{table}") for table in ("tcp", "tcp6"))))
    owners = _socket_owners({row.inode for row in rows})
    unknown: tuple[None, None] = (None, None)
    return [
        {"address": row.address, "port": row.port, "pid": pid, "process": name}
        for row in rows
        for pid, name in [owners.get(row.inode, unknown)]
    ]


def decode_windows(output: bytes) -> str:
    """Return a Windows program's output as text: UTF-16 with or without a mark, UTF-8, else the console's code page."""
    if output[:2] in {b"\xff\xfe", b"\xfe\xff"}:
        return output.decode("utf-16", errors="replace")
    if output[1:20:2].count(0) >= 8:  # every other byte is zero: UTF-16LE without a mark
        return output.decode("utf-16-le", errors="replace")
    try:
        return output.decode("utf-8-sig")
    except UnicodeDecodeError:
        return output.decode("cp437")


def parse_netstat(text: str) -> list[dict[str, Any]]:
    """Return what listens according to Windows' `netstat -ano`: {address, port, pid}.

    The word LISTENING is translated on other Windows languages; a foreign port of 0 is not.
    """
    rows = []
    for line in text.splitlines():
        columns = line.split()
        if len(columns) == 5 and columns[0] == "TCP" and columns[2].endswith(":0") and columns[4].isdigit():
            address, _, port = columns[1].rpartition(":")
            rows.append({"address": address.strip("[]"), "port": int(port), "pid": int(columns[4])})
    return rows


def parse_tasklist(text: str) -> dict[int, str]:
    """Return pid -> image name from Windows' `tasklist /FO CSV /NH`."""
    rows = (row for row in csv.reader(io.StringIO(text)) if len(row) > 1 and row[1].isdigit())
    return {int(row[1]): row[0] for row in rows}


def _windows(program: str, *arguments: str) -> str:
    try:  # stdin closed and a time limit: Windows programs called from WSL may wait for a key
        command = [f"{SYSTEM32}/{program}", *arguments]
        done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, timeout=10, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return decode_windows(done.stdout)


def windows_listening(ports: Iterable[int]) -> list[dict[str, Any]] | None:
    """Return what listens on Windows, from inside WSL; None where that can't be read. Names only for `ports`."""
    rows = parse_netstat(_windows("netstat.exe", "-ano", "-p", "TCP") + _windows("netstat.exe", "-ano", "-p", "TCPv6"))
    if not rows:
        return None
    asked = set(ports)
    names = parse_tasklist(_windows("tasklist.exe", "/FO", "CSV", "/NH")) if asked & {r["port"] for r in rows} else {}
    return [{**row, "process": names.get(row["pid"])} for row in rows]


def wsl_facts(kernel: str, env: Mapping[str, str]) -> dict[str, Any]:
    """Return {version, distro}: version 0 is no WSL, 1 has Microsoft's translated kernel, 2 a real one."""
    lowered = kernel.lower()
    version = 0 if "microsoft" not in lowered else 2 if "wsl2" in lowered or "microsoft-standard" in lowered else 1
    return {"version": version, "distro": env.get("WSL_DISTRO_NAME")}


def mask_proxy(url: str) -> str:
    """Return a proxy's URL without its user and password."""
    return re.sub(r"//[^/@]*@", "//***@", url)


def _cgroup_limit() -> int | None:
    for path in ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"):
        text = _read(path).strip()
        if text.isdigit() and int(text) < 2**60:  # cgroup v1 says "no limit" with a number near 2**63
            return int(text)
    return None


def memory_facts() -> dict[str, Any]:
    """Return total and available memory in bytes, and the limit of this process's control group, None for none."""
    return {**parse_meminfo(_read("/proc/meminfo")), "cgroup_limit": _cgroup_limit()}


def _disk(path: str) -> dict[str, Any]:
    existing = Path(path)
    while not existing.exists():
        existing = existing.parent
    usage = shutil.disk_usage(existing)
    return {"path": str(existing), "free": usage.free, "total": usage.total}


def _installed(package: str) -> str | None:
    try:
        return importlib.metadata.version(package) if importlib.util.find_spec(package) else None
    except importlib.metadata.PackageNotFoundError:
        return "unknown"


def _limits() -> dict[str, Any]:
    bounding = re.search(r"^CapBnd:\s+([0-9a-f]+)$", _read("/proc/self/status"), re.MULTILINE)
    return {
        "nofile_hard": resource.getrlimit(resource.RLIMIT_NOFILE)[1],
        "can_raise": bool(bounding and int(bounding[1], 16) >> CAP_SYS_RESOURCE & 1),
    }


def gather(ports: Iterable[int] = (), controller_time: float | None = None) -> dict[str, Any]:
    """Return the facts of this host; library/host_facts.py documents them."""
    release = parse_os_release(_read("/etc/os-release"))
    env = {key.lower(): value for key, value in os.environ.items()}
    wsl = wsl_facts(platform.release(), os.environ)
    docker = probe(os.environ)
    docker_disk = docker.get("root_dir") or "/var/lib/docker"
    if docker["desktop"] and wsl["version"]:
        docker_disk = "/mnt/c"  # Docker Desktop's disk is a growing file on Windows
    return {
        "hostname": socket.gethostname(),
        "os": {key: release.get(key, "") for key in ("id", "version_id", "version_codename", "pretty_name")},
        "architecture": platform.machine(),
        "kernel": platform.release(),
        "python": {"version": platform.python_version(), "executable": sys.executable},
        "is_root": os.geteuid() == 0,
        "memory": memory_facts(),
        "disk": {"docker": _disk(docker_disk), "var_lib": _disk("/var/lib")},
        "listening": listening(),
        "windows_listening": windows_listening(ports) if wsl["version"] else None,
        "docker": docker,
        "sdk_version": _installed("docker"),
        "python_apt": bool(list(Path("/usr/lib/python3/dist-packages").glob("apt_pkg*.so"))),
        "init": {"name": (name := _read("/proc/1/comm").strip()), "systemd": name == "systemd"},
        "limits": _limits(),
        "apparmor": _read("/sys/module/apparmor/parameters/enabled").strip() == "Y",
        "wsl": wsl,
        "time": {"epoch": time.time(), "controller": controller_time},
        "proxy": {name: mask_proxy(env[name]) for name in PROXY_NAMES if env.get(name)},
        "ca": {
            "bundle": ssl.get_default_verify_paths().cafile,
            "env": {name: os.environ[name] for name in CA_NAMES if os.environ.get(name)},
        },
    }
