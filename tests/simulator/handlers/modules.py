"""Modules of ansible.windows and community.windows, as far as the roles use them. Read in ansible.windows 3.8."""

from __future__ import annotations

import hashlib
import json
import ntpath
from typing import TYPE_CHECKING, Any

from tests.simulator.host import ModuleCall

if TYPE_CHECKING:
    from tests.simulator.model import Windows

Result = dict[str, Any]


def _fail(message: str, **other: Any) -> Result:
    return {"failed": True, "changed": False, "msg": message, **other}


def win_optional_feature(host: Windows, call: ModuleCall) -> Result:
    """Enable: what is not enabled, or waits already, is enabled again and waits for a reboot."""
    names = call.args["name"]
    todo = [name for name in names if not str(host.features.get(name)).startswith("Enabled")]
    if not call.check:
        for name in todo:
            host.features[name] = "EnablePending"
    return {"changed": bool(todo), "reboot_required": bool(todo)}


def _fetch(host: Windows, url: str, checksum: str | None) -> tuple[bytes, str]:
    """Return a download, or why there is none. A path is a file of the host."""
    if url.startswith("http"):
        if url not in host.downloads:
            return b"", f"Error downloading '{url}': The remote server returned an error: (404) Not Found."
        content = host.downloads[url]
    elif url in host.files:
        content = host.files[url]
    else:
        return b"", f"the file at the path '{url}' cannot be reached"
    found = hashlib.sha256(content).hexdigest()
    if checksum and checksum.lower() != found:
        return b"", f"The checksum for {url} did not match '{checksum}', it was '{found}'"
    return content, ""


def win_get_url(host: Windows, call: ModuleCall) -> Result:
    """Download to a file."""
    dest = str(call.args["dest"])
    if not host.files.has_folder(ntpath.dirname(dest)):  # in check mode as well
        return _fail(f"The path '{ntpath.dirname(dest)}' does not exist for destination '{dest}', or is not visible")
    content, problem = _fetch(host, str(call.args["url"]), call.args.get("checksum"))
    if problem:
        return _fail(problem)
    changed = host.files.get(dest) != content
    if not call.check:
        host.files[dest] = content
    return {"changed": changed, "dest": dest}


#: Build of Windows -> the revision from which WSL's MSI takes no notice of its MSIX package; 0: from the first one on.
#: Source: microsoft/WSL, src/windows/wslinstall/DllMain.cpp, DoesBuildSupportDirectMsiExecution.
_WITHOUT_MSIX = {19044: 4529, 19045: 4474, 20348: 2582, 22621: 3672, 22631: 3672, 25398: 1009, 26100: 0, 26200: 0}
#: What the log says then, as somebody's Czech Windows has it: https://github.com/microsoft/WSL/issues/10906
_MSIX_LOG = (
    "MSI (s) (60:18) [09:27:31:862]: Invoking remote custom action. DLL: C:\\Windows\\Installer\\MSIAB16.tmp,"
    " Entrypoint: InstallMsixAsUser",
    "MSI (s) (60!84) [09:27:31:926]: Product: Windows Subsystem for Linux -- Nepodařilo se nainstalovat balíček MSIX"
    " (chyba: Instalace se nezdařila. Obraťte se na dodavatele softwaru. ).",
    "MSI (c) (78:B0) [09:27:32:120]: MainEngineThread is returning 1603",
)


def _msix(host: Windows) -> int:
    """Return what WSL's MSI ends with over the network, where a user's MSIX package cannot be registered."""
    if host.revision >= _WITHOUT_MSIX.get(host.build, 10**6):
        return 0
    host.logs["C:\\Windows\\Temp\\ready-wsl.log"] = list(_MSIX_LOG)
    return 1603


def win_package(host: Windows, call: ModuleCall) -> Result:
    """Install: the package's content says what it is, as JSON."""
    from tests.simulator.installed import DockerDesktop

    if call.check:
        return {"changed": True, "rc": 0, "reboot_required": False}
    content, problem = _fetch(host, str(call.args["path"]), call.args.get("checksum"))
    if problem:
        return _fail(problem, rc=0)
    package = json.loads(content)
    code = host.faults.get(f"{package['name']}_codes", [])
    code = code.pop(0) if code else _msix(host) if package["name"] == "wsl" else 0
    if code not in call.args["expected_return_code"]:
        return _fail(f"unexpected rc from '{call.args['path']}': see rc, stdout, and stderr for more details", rc=code)
    if package["name"] == "wsl":
        host.wsl_version = package["version"]
        host.files["C:\\Program Files\\WSL\\wsl.exe"] = b"MZ"
    else:
        host.docker = DockerDesktop(package["version"])
    return {"changed": True, "rc": code, "reboot_required": code == 3010}


def win_regedit(host: Windows, call: ModuleCall) -> Result:
    """Set a value, or make a key."""
    key = host.registry.get(str(call.args["path"]))
    name, data = call.args.get("name"), call.args.get("data")
    changed = key is None or (name is not None and key.get(name) != data)
    if changed and not call.check:
        values = host.registry.setdefault(str(call.args["path"]), {})
        if name is not None:
            values[str(name)] = data
    return {"changed": changed, "data_changed": changed, "data_type_changed": False}


def win_group_membership(host: Windows, call: ModuleCall) -> Result:
    """Add members to docker-users, which comes with Docker Desktop."""
    if host.docker is None:
        return _fail(f"Could not find local group {call.args['name']}")
    new = [member for member in call.args["members"] if member not in host.docker_users]
    if not call.check:
        host.docker_users.update(new)
    return {"changed": bool(new), "added": new, "removed": [], "members": sorted(host.docker_users)}


def win_file(host: Windows, call: ModuleCall) -> Result:
    """Remove a file, or make a folder."""
    path = str(call.args["path"])
    if call.args["state"] == "directory":
        missing = not host.files.has_folder(path)
        if missing and not call.check:
            host.files.make_folder(path)
        return {"changed": missing}
    there = path in host.files
    if there and not call.check:
        del host.files[path]
    return {"changed": there}


_REFUSALS = {
    "0x8007052E": "Der Benutzername oder das Kennwort ist falsch.",
    "0x80070520": "Eine angegebene Anmeldesitzung ist nicht vorhanden. Sie wurde möglicherweise bereits beendet.",
    "0x80070569": "Dem Benutzer wurde der angeforderte Anmeldetyp auf diesem Computer nicht erteilt.",
    "0x80070534": "Zuordnungen von Kontennamen und Sicherheitskennungen wurden nicht durchgeführt.",
}


def win_scheduled_task(host: Windows, call: ModuleCall) -> Result:
    """Make or remove a task of ours. Windows may refuse it with its password: the task is there then, without one.

    The module registers a new task twice, without and with its properties (community.windows, win_scheduled_task.ps1).
    The words are those of https://github.com/taliesins/terraform-provider-hyperv/issues/135, in the user's language.
    """
    from tests.simulator.task import Task

    args, name = call.args, str(call.args["name"])
    if args.get("state", "present") == "absent":
        there = name in host.tasks
        if there and not call.check:
            del host.tasks[name]
        return {"changed": there}
    action = args["actions"][0]
    right = str(args["password"]) in host.accounts.values()
    if code := host.faults.get("task_refused", "" if right else "0x8007052E"):
        if name not in host.tasks and not call.check:
            bare = Task(name, host.account, str(action["path"]), str(action["arguments"]), "PT72H", "", ())
            host.tasks[name] = bare
        return _fail(
            'failed to modify scheduled task: Ausnahme beim Aufrufen von "RegisterTaskDefinition" mit 6 Argument(en):  '
            f'"{_REFUSALS.get(code, "Unbekannter Fehler.")} (Ausnahme von HRESULT: {code})"'
        )
    task = Task(
        name,
        str(args["username"]),
        str(action["path"]),
        str(action["arguments"]),
        str(args["execution_time_limit"]),
        str(args["password"]),
        tuple(str(trigger["type"]) for trigger in args["triggers"]),
    )
    changed = host.tasks.get(name) != task
    if changed and not call.check:
        if before := host.tasks.get(name):  # what runs stays as it was
            task.state, task.holding = before.state, before.holding
        host.tasks[name] = task
        if "registration" in task.triggers:
            host.run_task(task)
    return {"changed": changed}


def win_firewall_rule(host: Windows, call: ModuleCall) -> Result:
    """Make, change or remove a rule by its display name."""
    name = str(call.args["name"])
    if call.args.get("state") == "absent":
        there = name in host.rules
        if there and not call.check:
            del host.rules[name]
        return {"changed": there}
    rule = {
        "name": name,
        "enabled": True,
        "direction": "Inbound",
        "action": "Allow",
        "protocol": "TCP",
        "ports": [str(call.args["localport"])],
        "remote": str(call.args["remoteip"]).split(","),
        "profiles": [str(word).capitalize() for word in call.args["profiles"]],
    }
    changed = host.rules.get(name) != rule
    if changed and not call.check:
        host.rules[name] = rule
        if host.faults.get("rules_taken_back"):  # by security software, or a policy that is applied again
            del host.rules[name]
    return {"changed": changed}


def win_command(host: Windows, call: ModuleCall) -> Result:
    """Netsh interface portproxy alone; it does not know check mode, and Ansible skips it there."""
    words = [str(word) for word in call.args["argv"]]
    assert words[:3] == ["netsh.exe", "interface", "portproxy"], words
    given = dict(word.split("=", 1) for word in words if "=" in word)
    listen = f"{given['listenaddress']}/{given['listenport']}"
    if call.check:
        return {"changed": False, "skipped": True}
    if words[3] == "add":
        host.portproxy[listen] = f"{given['connectaddress']}/{given['connectport']}"
    else:
        host.portproxy.pop(listen)
    return {"changed": True, "rc": 0, "stdout": "\r\n", "stderr": ""}


def win_whoami(host: Windows, call: ModuleCall) -> Result:
    """Say who runs this and what it may do, as its documentation has it: rights are told to an administrator alone."""
    domain, _, name = host.account.partition("\\")
    rights = ["SeNetworkLogonRight", "SeInteractiveLogonRight"]
    rights += ["SeBatchLogonRight"] if host.batch & {name, "Administrators"} else []
    level = ("S-1-16-12288", "High Mandatory Level") if host.elevated else ("S-1-16-8192", "Medium Mandatory Level")
    return {
        "changed": False,
        "account": {"domain_name": domain, "account_name": name, "sid": host.sid, "type": "User"},
        "label": {"domain_name": "Mandatory Label", "sid": level[0], "account_name": level[1], "type": "Label"},
        "logon_type": "Network",
        "authentication_package": "NTLM",
        "rights": rights if host.elevated else [],
    }
