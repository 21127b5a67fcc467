"""What is inside of a simulated distro: a real container, or as much of a Linux as Ready's two scripts touch."""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import subprocess
import time
from collections.abc import Callable
from typing import Protocol

from ready.windows.config import ini_values

from tests.simulator.distro import Distro

#: A container is Debian and has no systemd as its first process: these two values are played.
RELEASE = 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nID=ubuntu\nVERSION_ID="22.04"\n'
#: `ip -4 route show default` and `ip -4 -o addr show scope global`, with Docker's bridges first; addresses as in
#: https://github.com/microsoft/WSL/issues/9552.
ROUTES = "default via {gateway} dev eth0 proto kernel \n"
INTERFACES = """\
3: docker0    inet 172.17.0.1/16 brd 172.17.255.255 scope global docker0\\       valid_lft forever preferred_lft forever
4: br-2f0c7a7a1f55    inet 172.18.0.1/16 brd 172.18.255.255 scope global br-2f0c7a7a1f55\\       valid_lft forever
6: eth0    inet {address} brd 172.31.255.255 scope global eth0\\       valid_lft forever preferred_lft forever
"""
_TARGET = "/mnt/wsl/docker-desktop/cli-tools/usr/bin/docker"


class Inside(Protocol):
    """What the model asks of a distro."""

    def values(self, script: str) -> dict[str, str]:
        """Return what scripts/linux/distro_state.sh prints."""

    def shell(self, command: str, stdin: bytes) -> tuple[int, bytes, bytes]:
        """Run a shell command as root."""

    def started(self) -> None:
        """It starts: wsl.conf is read."""

    def integrate(self, *, on: bool, known: bool) -> None:
        """Docker Desktop's integration is on, or dangles (known, and off), or was never there."""

    def terminate(self) -> None:
        """It ends."""

    def remove(self) -> None:
        """Its disk goes."""


def _systemd(conf: str) -> str:
    return "running\n" if ini_values(conf).get("boot", {}).get("systemd", "").lower() == "true" else "offline\n"


class MemoryInside:
    """Files, users and a clock: quick, for tests of the roles."""

    def __init__(self) -> None:
        self.files: dict[str, tuple[str, bytes]] = {}
        self.users: dict[str, int] = {}
        self.release = RELEASE
        self.mode = "nat\n"
        self.address = "172.28.96.5/20"
        self.next_addresses: list[str] = []  # one for each start to come; without one it stays
        self.packages = ""
        self.clock_skew = 0.0
        self.container_skew: int | None = None  # None: no container runs
        self.conf = ""
        self.docker: str | None = None  # None, "on" or "dangling"
        self.slow = False  # Docker's socket comes a little after its engine
        self.coming = False
        self.boot: list[str] = []  # what systemd says at the next looks, before it is up (microsoft/WSL#8886)

    def values(self, script: str) -> dict[str, str]:
        """See Inside."""
        sums = {path: hashlib.sha256(content).hexdigest() for path, (_, content) in sorted(self.files.items())}

        def listed(begin: tuple[str, ...]) -> str:
            return "".join(f"{digest}  {path}\n" for path, digest in sums.items() if path.startswith(begin))

        found = {
            "os_release": self.release,
            "kernel": "6.6.87.2-microsoft-standard-WSL2\n",
            "users": "".join(f"{name}:{number}\n" for name, number in self.users.items()),
            "sudoers": ",".join(self.users) + "\n",
            "systemd": self.boot.pop(0) if self.boot else _systemd(self.conf),
            "networking_mode": self.mode,
            "routes": ROUTES.format(gateway=ipaddress.ip_interface(self.address).network[1]),
            "interfaces": INTERFACES.format(address=self.address),
            "gateway": f"{ipaddress.ip_interface(self.address).network[1]}\n",
            "time": f"{time.time() + self.clock_skew:.3f}\n",
            "disk_free": f"{900 * 2**30}\n",
            "memory": f"{8 * 2**30}\n",
            "files": listed(
                ("/etc/profile.d/ready-", "/etc/apt/apt.conf.d/95ready", "/etc/ready/windows-", "/etc/sudoers.d/ready")
            ),
            "certificates": listed(("/usr/local/share/ca-certificates/ready-",)),
            "docker_packages": self.packages,
        }
        if "/etc/wsl.conf" in self.files:
            found["wsl_conf"] = self.files["/etc/wsl.conf"][1].decode()
        if self.docker == "on":
            found |= {"docker_socket": "yes\n", "docker_command": "file\n", "docker_target": f"{_TARGET}\n"}
            found["docker_server"] = "28.3.2\n"
            if self.container_skew is not None:
                now = int(time.time() + self.clock_skew)
                found["container_time"] = f"{now} {now + self.container_skew} {now}\n"
        elif self.docker == "dangling":
            found |= {"docker_command": "dangling\n", "docker_target": f"{_TARGET}\n"}
        return found

    def shell(self, command: str, stdin: bytes) -> tuple[int, bytes, bytes]:
        """Follow the orders of scripts/linux/distro_configure.sh."""
        if command.startswith("echo ") and b"ready: docker_wait" in base64.b64decode(command[5:].partition("|")[0]):
            self.docker = "on" if self.coming else self.docker
            return (0 if self.docker == "on" else 1), b"", b""
        said = []
        for line in stdin.decode().splitlines():
            words = line.split()
            if words[0] == "user" and words[1] not in self.users:
                self.users[words[1]] = 1000 + len(self.users)
                said.append(f"user {words[1]}")
            elif words[0] == "file":
                new = (words[1], base64.b64decode(words[3]))
                if self.files.get(words[2]) != new:
                    self.files[words[2]] = new
                    said.append(f"file {words[2]}")
            elif words[0] == "remove" and words[1] in self.files:
                del self.files[words[1]]
                said.append(f"remove {words[1]}")
            elif words[0] == "certificates":
                said.append("certificates")
        return 0, "".join(f"{line}\n" for line in said).encode(), b""

    def started(self) -> None:
        """See Inside."""
        if self.next_addresses:
            self.address = self.next_addresses.pop(0)
        self.conf = self.files.get("/etc/wsl.conf", ("", b""))[1].decode()

    def integrate(self, *, on: bool, known: bool) -> None:
        """See Inside."""
        self.coming = on
        if not (on and self.slow):
            self.docker = "on" if on else "dangling" if known and self.docker else None

    def terminate(self) -> None:
        """See Inside."""

    def remove(self) -> None:
        """See Inside."""


class ContainerInside:
    """A real container: both scripts run in it as they are."""

    def __init__(self, distro: Distro) -> None:
        self.distro = distro
        self._integrated = False

    def values(self, script: str) -> dict[str, str]:
        """See Inside."""
        code, out, _ = self.shell(f"echo {script}|base64 -d|sh", b"")
        assert code == 0, out
        found = {}
        for line in out.decode().splitlines():
            name, _, data = line.partition(" ")
            found[name] = base64.b64decode(data).decode(errors="replace")
        found |= {"os_release": RELEASE, "systemd": _systemd(found.get("wsl_conf", "")), "networking_mode": "nat\n"}
        return found

    def shell(self, command: str, stdin: bytes) -> tuple[int, bytes, bytes]:
        """See Inside."""
        self.distro.start()
        done = subprocess.run(
            ["docker", "exec", "-i", self.distro.container, "/bin/sh", "-c", command],
            input=stdin,
            capture_output=True,
            check=False,
        )
        return done.returncode, done.stdout, done.stderr

    def started(self) -> None:
        """See Inside."""
        self.distro.start()

    def integrate(self, *, on: bool, known: bool) -> None:
        """See Inside."""
        if on != self._integrated:
            self.distro.integrate(on=on)
            self._integrated = on

    def terminate(self) -> None:
        """See Inside."""
        self.distro.terminate()

    def remove(self) -> None:
        """See Inside."""
        self.distro.remove()


def container_inside(label: str, *, engine: bool = False) -> Callable[[str], Inside]:
    """Return a maker of distros that are real containers, labelled for their removal, fit for an engine or not."""

    def make(name: str) -> Inside:
        container = f"ready-sim-{label}-{name}".lower().replace(".", "-")
        distro = Distro(name, container, label, engine=engine).create()
        # The image of a distro is old when it is imported; this one may be of the last hour, and without package lists.
        distro.sh("touch -d @0 /var/lib/apt/lists /var/lib/apt/periodic/update-success-stamp 2>&1 || true")
        return ContainerInside(distro)

    return make
