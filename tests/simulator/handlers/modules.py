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


def win_package(host: Windows, call: ModuleCall) -> Result:
    """Install: the package's content says what it is, as JSON."""
    from tests.simulator.model import DockerDesktop

    if call.check:
        return {"changed": True, "rc": 0, "reboot_required": False}
    content, problem = _fetch(host, str(call.args["path"]), call.args.get("checksum"))
    if problem:
        return _fail(problem, rc=0)
    package = json.loads(content)
    code = host.faults.get(f"{package['name']}_codes", [])
    code = code.pop(0) if code else 0
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


def win_scheduled_task(host: Windows, call: ModuleCall) -> Result:
    """Make or remove a task of ours. A wrong password is refused, as Windows does."""
    from tests.simulator.model import Task

    args, name = call.args, str(call.args["name"])
    if args.get("state", "present") == "absent":
        there = name in host.tasks
        if there and not call.check:
            del host.tasks[name]
        return {"changed": there}
    if str(args["password"]) not in host.accounts.values():
        return _fail("Failed to register new task definition: The user name or password is incorrect. (0x8007052E)")
    action = args["actions"][0]
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
    }
    changed = host.rules.get(name) != rule
    if changed and not call.check:
        host.rules[name] = rule
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
