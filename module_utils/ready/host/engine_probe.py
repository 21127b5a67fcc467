# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Read which Docker a host has, over the daemon's socket. Standard library only."""

from __future__ import annotations

import http.client
import json
import socket
import ssl
import time
from collections.abc import Callable, Mapping, MutableMapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from . import engine_kind, engine_proxy

DEFAULT_HOST = "unix:///var/run/docker.sock"
WSL_SHARED = "/mnt/wsl/"  # one file system for all distros of a PC
DESKTOP_MARK = f"{WSL_SHARED}docker-desktop"  # there while Docker Desktop runs, whichever distros it serves
DAEMON_JSON = "/etc/docker/daemon.json"
#: Written by role docker_engine: only a daemon that it installed is ever configured or restarted by it.
MANAGED_MARK = "/etc/docker/ready-managed"
LOG = "/var/log/docker.log"
LABEL_STACK = "io.ready.stack"
TIMEOUT = 5.0


class _SocketConnection(http.client.HTTPConnection):
    def __init__(self, path: str) -> None:
        super().__init__("localhost", timeout=TIMEOUT)
        self.path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self.path)


def connection(host: str, env: Mapping[str, str]) -> http.client.HTTPConnection:
    """Return a connection to what DOCKER_HOST names. Raises ValueError for a kind that can't be read so."""
    url = urlsplit(host)
    if url.scheme == "unix":
        return _SocketConnection(url.path)
    if url.scheme not in {"tcp", "http", "https"} or not url.hostname:
        raise ValueError(f"{url.scheme or 'it'} is not a kind that is read here")
    if url.scheme == "https" or env.get("DOCKER_TLS_VERIFY"):
        certificates = Path(env.get("DOCKER_CERT_PATH") or "~/.docker").expanduser()
        context = ssl.create_default_context(cafile=str(certificates / "ca.pem"))
        context.load_cert_chain(str(certificates / "cert.pem"), str(certificates / "key.pem"))
        return http.client.HTTPSConnection(url.hostname, url.port or 2376, timeout=TIMEOUT, context=context)
    return http.client.HTTPConnection(url.hostname, url.port or 2375, timeout=TIMEOUT)


def _get(client: http.client.HTTPConnection, path: str) -> Any:
    client.request("GET", path, headers={"Host": "docker"})
    response = client.getresponse()
    body = response.read()
    if response.status != 200:
        raise OSError(f"{path} answered {response.status}")
    return json.loads(body)


def engine_facts(
    version: Mapping[str, Any], info: Mapping[str, Any], containers: list[dict[str, Any]]
) -> dict[str, Any]:
    """Return the facts that the answers to /version, /info and /containers/json hold."""
    system = str(info.get("OperatingSystem", ""))
    return {
        "reachable": True,
        "reason": "",
        "version": version.get("Version"),
        "api_version": version.get("ApiVersion"),
        "operating_system": system,
        "name": info.get("Name"),
        "root_dir": info.get("DockerRootDir"),
        "memory": info.get("MemTotal"),
        "storage_driver": info.get("Driver"),
        **engine_kind.engine_kind(version, info),
        "desktop": system == "Docker Desktop" or info.get("Name") == "docker-desktop",
        "swarm": (info.get("Swarm") or {}).get("LocalNodeState") == "active",
        "published": [
            {
                "port": port["PublicPort"],
                "container": item["Names"][0].lstrip("/"),
                "stack": (item.get("Labels") or {}).get(LABEL_STACK),
            }
            for item in containers
            for port in item.get("Ports") or []
            if port.get("PublicPort")
        ],
    }


def _read(path: str) -> str | None:
    try:
        return Path(path).read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None


def _desktop_integrated() -> bool:
    """Return whether Docker Desktop serves this distro; its links dangle while it is down."""
    links = [link for link in map(Path, ("/usr/bin/docker", "/var/run/docker.sock")) if link.is_symlink()]
    return any(str(link.readlink()).startswith(WSL_SHARED) for link in links)


def probe(env: Mapping[str, str]) -> dict[str, Any]:
    """Return the Docker situation; a daemon that does not answer is a fact (`reachable`, `reason`) like any other."""
    host = env.get("DOCKER_HOST") or DEFAULT_HOST
    facts: dict[str, Any] = {
        "host": host,
        "host_from_env": bool(env.get("DOCKER_HOST")),
        "local": host.startswith("unix:"),
        "reachable": False,
        "denied": False,
        "installed": any(Path(place, "dockerd").exists() for place in ("/usr/bin", "/usr/sbin", "/usr/local/bin")),
        "desktop": False,
        "integrated": _desktop_integrated(),
        "desktop_runs": Path(DESKTOP_MARK).is_dir(),
        **engine_kind.engine_kind({}, {}),
        "published": [],
        "managed": Path(MANAGED_MARK).is_file(),
        "daemon_json": _read(DAEMON_JSON),
        "proxy": engine_proxy.proxy_facts(_read),
    }
    try:
        client = connection(host, env)
        try:
            facts |= engine_facts(_get(client, "/version"), _get(client, "/info"), _get(client, "/containers/json"))
        finally:
            client.close()
    except PermissionError as error:
        facts |= {"reason": error.strerror, "denied": True}
    except (OSError, ValueError, http.client.HTTPException) as error:
        facts["reason"] = getattr(error, "strerror", None) or str(error)
    return facts


def wait(read: Callable[[], dict[str, Any]], seconds: float, pause: float = 0.3) -> dict[str, Any]:
    """Return what `read` says once Docker answers, or its last word when the seconds are over."""
    deadline = time.monotonic() + seconds
    while True:
        facts = read()
        if facts["docker"]["reachable"] or time.monotonic() >= deadline:
            return facts
        time.sleep(pause)


def log_tail(lines: int = 3) -> list[str]:
    """Return the last telling lines of the log that the service script and a directly started daemon write to."""
    return [line for line in (_read(LOG) or "").splitlines() if "level=info" not in line][-lines:]


def exempt_daemon_from_proxy(environ: MutableMapping[str, str]) -> None:
    """Have the SDK ask no proxy for a daemon that DOCKER_HOST names by its address; Docker's own client asks none."""
    host = urlsplit(environ.get("DOCKER_HOST", "")).hostname
    if host and (known := environ.get("no_proxy") or environ.get("NO_PROXY") or "") != "*":
        environ["no_proxy"] = ",".join(dict.fromkeys([*filter(None, known.split(",")), host]))
