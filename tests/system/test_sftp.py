"""A repository on another machine, over SFTP: a real sshd on loopback, with a key of the tests' own."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from ready.backups.run import prove_set, restore_set
from ready.backups.workspace import Workspace

from tests.names import own
from tests.packages import install
from tests.system.backups import KEYS, evidence, leftovers, redis_contents, scheduled, succeeds, with_backups
from tests.system.conftest import Ready
from tools.ports import free_ports

NAME = own("sys-sftp")
#: The sshd's name in /etc/ssh/ssh_config.d, the only place that root's ssh reads besides root's own files.
HOST = own("ready-sftp-test")
CLIENT = Path("/etc/ssh/ssh_config.d") / f"{HOST}.conf"


@dataclass
class Server:
    """An sshd that root can log in to with a key, for SFTP alone."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    def make_key(self, name: str) -> Path:
        """Make a key pair, in place of an earlier one."""
        path = self.directory / name
        path.unlink(missing_ok=True)
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", path], check=True, input=b"y\n")
        return path

    def configure(self) -> None:
        """Make the keys and both sides' configuration; the client knows the server's key and asks nothing."""
        host, user = self.make_key("host"), self.make_key("user")
        public = (self.directory / "host.pub").read_text()
        (self.directory / "known").write_text(f"[127.0.0.1]:{self.port} {public}")
        shutil.copy(self.directory / "user.pub", self.directory / "authorized")
        (self.directory / "sshd_config").write_text(
            f"Port {self.port}\nListenAddress 127.0.0.1\nHostKey {host}\nPidFile none\nUsePAM no\nStrictModes no\n"
            f"AuthorizedKeysFile {self.directory}/authorized\nPermitRootLogin prohibit-password\n"
            "PasswordAuthentication no\nSubsystem sftp internal-sftp\nForceCommand internal-sftp\n"
        )
        CLIENT.write_text(
            f"Host {HOST}\n  HostName 127.0.0.1\n  Port {self.port}\n  User root\n  IdentityFile {user}\n"
            f"  IdentitiesOnly yes\n  UserKnownHostsFile {self.directory}/known\n  StrictHostKeyChecking yes\n"
        )

    def start(self) -> None:
        """Start it and wait until it answers."""
        Path("/run/sshd").mkdir(mode=0o755, exist_ok=True)
        self.process = subprocess.Popen(["/usr/sbin/sshd", "-D", "-e", "-f", self.directory / "sshd_config"])
        deadline = time.monotonic() + 20
        while True:
            try:
                socket.create_connection(("127.0.0.1", self.port), timeout=1).close()
                return
            except OSError:
                assert self.process.poll() is None, "sshd ended; it says above why"
                assert time.monotonic() < deadline, "sshd does not listen"
                time.sleep(0.1)

    def stop(self) -> None:
        """End it."""
        if self.process:
            self.process.terminate()
            self.process.wait(20)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """An sshd that runs."""
    install("sshd")
    made = Server(tmp_path_factory.mktemp("sshd"), free_ports(1)[0])
    made.configure()
    made.start()
    try:
        yield made
    finally:
        made.stop()
        CLIENT.unlink(missing_ok=True)


@pytest.fixture(scope="module")
def redis(tmp_path_factory: pytest.TempPathFactory, server: Server) -> Iterator[Ready]:
    """A stack of Redis with data, whose repository is at the server."""
    with with_backups(tmp_path_factory.mktemp("sftp"), NAME, ["redis"]) as ready:
        ready.set(backup_repository=f"sftp:{HOST}:{server.directory}/repository")
        ready.stack.redis().mset({f"item:{number}": number for number in range(KEYS)})
        yield ready


def test_there_and_back(redis: Ready, server: Server) -> None:
    """A set goes there, is proven from there, and brings everything back."""
    before = redis_contents(redis.stack)
    redis.run("backup")
    assert (server.directory / "repository" / "config").is_file()
    assert "same disk" not in str(evidence(redis, "backup"))
    drilled = prove_set(NAME, None)
    assert drilled["verdict"] == "pass", drilled
    redis.stack.redis("admin").flushall()
    restore_set(NAME, None, [], "localhost", safety=False)
    assert redis_contents(redis.stack) == before
    assert leftovers(NAME) == []


def test_unreachable_and_another_machine(redis: Ready, server: Server) -> None:
    """A server that is down, and one that has another key, are named; afterwards all is well again."""
    sets = len(Workspace.of(NAME).repository().snapshots(NAME))
    server.stop()
    code, said = scheduled(NAME, "backup")
    assert code == 2, said
    assert "the repository can't be reached" in said
    server.make_key("host")
    server.start()
    code, said = scheduled(NAME, "backup")
    assert code == 2, said
    # restic passes on as much as it heard of its ssh, at times no more than the first line.
    assert "server's host key is not the known one" in said or "ssh says why" in said, said
    assert "the repository can't be reached" in said
    assert redis.stack.redis().ping()
    server.stop()
    server.configure()
    server.start()
    succeeds(NAME, "backup")
    assert len(Workspace.of(NAME).repository().snapshots(NAME)) == sets + 1
    assert leftovers(NAME) == []
