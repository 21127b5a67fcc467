"""`windows ping` over the real protocol: from a PC as it comes to one that can be used, and what stands between."""

from __future__ import annotations

from pathlib import Path

from tests.simulator.handlers.remoting import enable_remoting
from tests.simulator.model import CONTROLLER
from tests.windows.pcs import site_of

PASSWORD = "Pw-of-ready-1"
LOGIN = {"ansible_user": "ready", "ansible_password": PASSWORD}


def test_the_first_contact(tmp_path: Path) -> None:
    """A PC as it comes is away; after the script it answers, on a Public network too. Others say what is wrong."""
    conditions = {"new": "as-it-comes", "wrong": "ready", "denied": "ready", "plain": "ready", "batch": "ready"}
    with site_of(tmp_path, conditions) as site:
        new = site.hosts["new"]
        site.hosts["denied"].faults["access_denied"] = True
        site.hosts["plain"].elevated = False
        site.hosts["batch"].batch.clear()
        of = {"new": LOGIN, "wrong": {"ansible_password": "Sesame 42!"}}
        first = site.run("windows_ping", of=of)
        assert first.code == 4, first.text[-3000:]
        assert first.count("new", "unreachable") == 1
        assert "Windows is up and nothing listens" in first.message("new") + first.text
        for name, words in {
            "wrong": "user or password was refused",
            "denied": "the password is right, and the session is denied",
            "plain": "found not elevated (Medium Mandatory Level)",
            "batch": "found not among the account's rights",
        }.items():
            assert words in first.message(name), first.why()
        assert "Sesame 42!" not in first.text

        enable_remoting(new, {"Controller": [CONTROLLER], "Password": PASSWORD})
        new.account = "NEW\\ready"
        site.fleet.servers["new"].wait()
        again = site.run("windows_ping", "--check", "--limit", "new", of=of)
        assert again.code == 0, again.why()
        assert "NEW\\ready (Network, NTLM)" in again.text
        assert PASSWORD not in again.text
        assert new.networks[0].category == "Public"
        trust = {"new": LOGIN | {"ansible_psrp_ca_cert": str(tmp_path / "absent.pem")}}
        untrusted = site.run("windows_ping", "--limit", "new", of=trust)
        assert untrusted.code == 2, untrusted.text[-3000:]
        assert "found no file" in untrusted.message("new")
        assert {name: host.changes() for name, host in site.hosts.items() if name != "new" and host.changes()} == {}
