"""Some hosts at once, each on a free port of 127.0.0.1, and an inventory that names them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from tests.simulator import tls
from tests.simulator.host import Host
from tests.simulator.server import Server, ntlm_accounts


class Fleet:
    """Servers for hosts, with certificates and inventory below a directory. Ends with `stop`."""

    def __init__(
        self,
        directory: Path,
        hosts: Sequence[Host],
        auth: Sequence[str] = ("basic", "negotiate"),
        *,
        secure: bool = True,
    ) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        certificates = tls.make(directory / "tls") if secure else None
        self._authority = certificates.authority if certificates else None
        self._certificates, self._auth = certificates, auth
        self.servers: dict[str, Server] = {}
        ntlm_accounts(directory, hosts)
        for host in hosts:
            self._serve(host)

    def _serve(self, host: Host) -> None:
        log = self.directory / f"{host.name}.jsonl"
        self.servers[host.name] = Server(host, self._certificates, self._auth, log=log).start()

    def add(self, host: Host) -> None:
        """Serve one more host."""
        ntlm_accounts(self.directory, [*(server.host for server in self.servers.values()), host])
        self._serve(host)

    def variables(self, name: str) -> dict[str, Any]:
        """Return the inventory variables of a host."""
        server = self.servers[name]
        user, password = next(iter(server.host.accounts.items()))
        secure: dict[str, Any] = (
            {"ansible_psrp_protocol": "https", "ansible_psrp_ca_cert": str(self._authority)}
            if self._authority
            else {"ansible_psrp_protocol": "http"}
        )
        return secure | {
            "ansible_connection": "psrp",
            "ansible_shell_type": "powershell",
            "ansible_host": "127.0.0.1",
            "ansible_port": server.port,
            "ansible_psrp_auth": "basic" if "basic" in server.auth else "negotiate",
            "ansible_user": user,
            "ansible_password": password,
        }

    def inventory(self, name: str = "hosts.yml") -> Path:
        """Write an inventory of the group `windows`, all of it and of `wsl` Ready's, and return its path."""
        path = self.directory / name
        hosts = {host: self.variables(host) for host in self.servers}
        ready: dict[str, Any] = {"children": {"windows": {}, "wsl": {}}}
        path.write_text(yaml.safe_dump({"all": {"children": {"windows": {"hosts": hosts}, "wsl": {}, "ready": ready}}}))
        return path

    def revive(self, name: str) -> None:
        """Start a host's server again, on its port, after `stop`."""
        old = self.servers[name]
        self.servers[name] = Server(old.host, old.certificates, old.auth, old.port, old.log).start()

    def stop(self) -> None:
        """Stop every server."""
        for server in self.servers.values():
            server.stop()
