"""enable_remoting.ps1, by its contract: what an administrator at the PC runs, and what -Undo takes back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tests.simulator.firewall import WIRED, towards

if TYPE_CHECKING:
    from tests.simulator.model import Windows

PORT = 5986


def enable_remoting(host: Windows, parameters: Mapping[str, Any]) -> dict[str, Any]:
    """Return the exit code and what changed. `Password` stands for what an administrator types at its question."""
    before = host.snapshot()
    if parameters.get("Undo"):
        _undo(host)
    else:
        _account(host, str(parameters.get("Account", "ready")), str(parameters.get("Password", "")))
        _service(host, parameters)
        _rule(host, [str(item) for item in parameters["Controller"]], bool(parameters.get("MakePrivate")))
    changed = host.snapshot() != before
    host.note("script", "enable_remoting", {**parameters, "Password": "***"}, changed=changed)
    return {"code": 0, "changed": changed}


def _account(host: Windows, name: str, password: str) -> None:
    """Make the account when there is none of that name; a right that it has by Administrators is not given again."""
    assert host.remoting is not None
    notes = host.remoting.notes
    if name not in host.accounts:
        host.accounts = {**host.accounts, name: password}
        notes.setdefault("AccountSid", name)
    if name not in host.administrators:
        host.administrators.add(name)
        notes.setdefault("Member", name)
    if not host.batch & {name, "Administrators"}:
        host.batch.add(name)
        notes.setdefault("Batch", name)
    if host.remoting.filter_policy != 1:
        notes.setdefault("TokenFilter", host.remoting.filter_policy)
        host.remoting.filter_policy = 1


def _service(host: Windows, parameters: Mapping[str, Any]) -> None:
    """Start WinRM, and make the certificate and the listener again when the names differ."""
    remoting = host.remoting
    assert remoting is not None
    if not remoting.running:
        remoting.notes.setdefault("Service", "Manual|Stopped")
        remoting.running = True
    names = (host.name.lower(), *map(str, parameters.get("Name", [])))
    if remoting.names != names:
        remoting.notes["Certificate"] = remoting.notes["Listener"] = ",".join(names)
        remoting.names = names


def _rule(host: Windows, addresses: list[str], make_private: bool) -> None:
    """Let the controller in on the profile in force towards it; MakePrivate changes what is known to be wired."""
    assert host.remoting is not None
    profiles = set()
    for address in addresses:
        network = towards(host.networks, address.partition("/")[0])
        assert network is not None, "no route"
        if network.category == "Public" and make_private and network.medium == WIRED:
            host.remoting.notes.setdefault(f"Network {network.alias}", network.name)
            network.category = "Private"
        profiles.add(network.profile)
    host.remoting.rule = {"enabled": True, "ports": [str(PORT)], "remote": addresses, "profiles": sorted(profiles)}
    host.remoting.notes["Rule"] = (tuple(addresses), tuple(sorted(profiles)))


def _undo(host: Windows) -> None:
    """Take back what is noted, while no task of ours needs the account."""
    remoting = host.remoting
    assert remoting is not None
    if host.tasks:
        raise RuntimeError(f"tasks: found \\Ready\\{next(iter(host.tasks))}, expected none.")
    notes = dict(remoting.notes)
    remoting.notes.clear()
    if "Rule" in notes:
        remoting.rule = None
    if "Listener" in notes:
        remoting.names = ()
    if "Service" in notes:
        remoting.running = False
    if "TokenFilter" in notes:
        remoting.filter_policy = notes["TokenFilter"]
    for network in host.networks:
        if notes.get(f"Network {network.alias}") == network.name and network.category == "Private":
            network.category = "Public"
    host.batch.discard(notes.get("Batch", ""))
    host.administrators.discard(notes.get("Member", ""))
    if "AccountSid" in notes:
        host.accounts = {name: password for name, password in host.accounts.items() if name != notes["AccountSid"]}
