"""What is inside of a simulated distro: a real container, or as much of a Linux as Ready's two scripts touch."""

from __future__ import annotations

import base64
import hashlib
import subprocess
import time
from typing import Protocol

from ready.windows.config import ini_values

from tests.simulator.distro import Distro

#: A container is Debian and has no systemd as its first process: these two values are played.
RELEASE = 'PRETTY_NAME="Ubuntu 22.04.5 LTS"\nID=ubuntu\nVERSION_ID="22.04"\n'
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
        self.addresses = "172.28.96.5 172.17.0.1\n"
        self.next_addresses: list[str] = []  # one for each start to come; without one it stays
        self.packages = ""
        self.clock_skew = 0.0
        self.container_skew: int | None = None  # None: no container runs
        self.conf = ""
        self.docker: str | None = None  # None, "on" or "dangling"

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
            "systemd": _systemd(self.conf),
            "networking_mode": self.mode,
            "addresses": self.addresses,
            "gateway": "172.28.96.1\n",
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
            self.addresses = self.next_addresses.pop(0)
        self.conf = self.files.get("/etc/wsl.conf", ("", b""))[1].decode()

    def integrate(self, *, on: bool, known: bool) -> None:
        """See Inside."""
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
