# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every container must be, a row per check with its id in CIS Docker 1.6. Pure functions over what was read."""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..common.verdict import FAIL, NOT_APPLICABLE, PASS
from ..host.sockets import open_beyond_loopback, sockets_text
from ..stack.resolved import CONFIG_PATH, container_ports, mounted_accounts, published_ports

#: Capabilities, Docker's name for its own bridge, and the first port that needs no privilege.
_DOCKER0, _UNPRIVILEGED = "bridge", 1024
_SECRETS = "secrets/"


@dataclass(frozen=True)
class Facts:
    """What a check may look at: the resolved service, what was read of its container, and the host."""

    service: Mapping[str, Any]
    container: Mapping[str, Any]
    host: Mapping[str, Any]

    @property
    def docker(self) -> Mapping[str, Any]:
        """HostConfig of `docker inspect`."""
        its: Mapping[str, Any] = self.container["host_config"]
        return its

    @property
    def kernel(self) -> Mapping[str, str]:
        """/proc/1/status in the container."""
        its: Mapping[str, str] = self.container["kernel"]
        return its

    @property
    def bindings(self) -> list[tuple[str, int]]:
        """Address and port of everything that Docker publishes of the container."""
        ports = (self.docker.get("PortBindings") or {}).values()
        return [(item["HostIp"] or "0.0.0.0", int(item["HostPort"] or 0)) for each in ports for item in each or []]  # noqa: S104


Outcome = tuple[bool | str, str, str]


@dataclass(frozen=True)
class ContainerCheck:
    """One check; `judge` returns whether it passed (or a verdict), what was found, and what was expected."""

    id: str
    title: str
    how: str
    judge: Callable[[Facts], Outcome]

    @property
    def cis(self) -> str | None:
        """Its number in CIS Docker 1.6, which is its id where it has one."""
        return self.id if self.id[0].isdigit() else None


def _is(found: Any, expected: Any) -> Outcome:
    return found == expected, str(found), str(expected)


def _user(facts: Facts) -> Outcome:
    uids = facts.kernel["Uid"].split()
    wanted = facts.service["image"]["user"].partition(":")[0]
    return set(uids) == {wanted} and wanted != "0", f"uid {' '.join(dict.fromkeys(uids))}", f"uid {wanted}"


def _apparmor(facts: Facts) -> Outcome:
    if not facts.host["apparmor"]:
        return NOT_APPLICABLE, "the daemon has no AppArmor", "a profile where the host has AppArmor"
    found = facts.container["apparmor"]
    return found not in {"", "unconfined"}, found or "none", "a profile that confines"


def _capabilities(facts: Facts) -> Outcome:
    sets = {key: facts.kernel[key] for key in ("CapEff", "CapBnd", "CapPrm")}
    added = facts.docker.get("CapAdd") or []
    found = ", ".join(f"{key} {value}" for key, value in sets.items()) + (f", added {' '.join(added)}" if added else "")
    return not any(int(value, 16) for value in sets.values()) and not added, found, "none at all"


def _mounts(facts: Facts) -> Outcome:
    expected = {volume["path"]: volume["name"] for volume in facts.service["volumes"]}
    expected[CONFIG_PATH] = facts.service["config_volume"]
    strange = [
        f"{mount['Type']} {mount['Source']} at {mount['Destination']}"
        for mount in facts.container["mounts"]
        if mount["Type"] != "tmpfs" and expected.get(mount["Destination"], "") != mount.get("Name")
    ]
    return not strange, ", ".join(strange) or "its own volumes alone", "its own volumes alone"


def _read_only_secrets(facts: Facts) -> Outcome:
    mode = {mount["Destination"]: mount["RW"] for mount in facts.container["mounts"]}.get(CONFIG_PATH)
    return mode is False, {True: "read-write", False: "read-only", None: "no mount"}[mode], "read-only"


def _privileged_ports(facts: Facts) -> Outcome:
    low = [str(port) for _, port in facts.bindings if port < _UNPRIVILEGED]
    return not low, ", ".join(low) or "none", f"no port below {_UNPRIVILEGED} on the host"


def _sockets(facts: Facts) -> Outcome:
    ports = container_ports(facts.service)
    found = open_beyond_loopback([tuple(item) for item in facts.container["sockets"]])
    beyond = [item for item in found if item[0] != "tcp" or item[2] not in ports]
    wanted = f"TCP {', '.join(map(str, sorted(ports)))} alone" if ports else "none"
    return not beyond and (bool(found) or not ports), sockets_text(beyond or found), wanted


def _published(facts: Facts) -> Outcome:
    wanted = {(port["bind"], int(port["host"])) for port in published_ports(facts.service)}
    numbers = {port for _, port in facts.bindings}
    listens = {(host, port) for proto, host, port in facts.host["listening"] if proto == "tcp" and port in numbers}
    found = set(facts.bindings) | listens
    everywhere = any(ipaddress.ip_address(host).is_unspecified for host, _ in found)
    text = sockets_text([("tcp", *item) for item in sorted(found)])
    good = not everywhere and set(facts.bindings) == wanted and listens <= wanted
    return good, text, sockets_text([("tcp", *item) for item in sorted(wanted)]) + ", no wildcard address"


def _namespace(key: str) -> Callable[[Facts], Outcome]:
    def judge(facts: Facts) -> Outcome:
        found = str(facts.docker.get(key) or "its own")
        shared = found == "host" or found.startswith("container:")
        return not shared, "its own" if not shared else found, "its own"

    return judge


def _network(facts: Facts) -> Outcome:
    found = str(facts.docker.get("NetworkMode") or "")
    return found != "host" and not found.startswith("container:"), found, "a network of its own stack"


def _restart(facts: Facts) -> Outcome:
    policy = facts.docker.get("RestartPolicy") or {}
    name, count = policy.get("Name", ""), policy.get("MaximumRetryCount", 0)
    shown_count = f":{count}" if count else ""
    return (
        name in {"", "no"} or (name == "on-failure" and 0 < count <= 5),
        f"{name or 'no'}{shown_count}",
        "on-failure:5",
    )


def _propagation(facts: Facts) -> Outcome:
    found = [mount["Destination"] for mount in facts.container["mounts"] if "shared" in str(mount.get("Propagation"))]
    return not found, ", ".join(found) or "none", "none is shared"


def _read_only(facts: Facts) -> Outcome:
    found = f"ReadonlyRootfs {facts.docker['ReadonlyRootfs']}, a write by root was {facts.container['root_write']}"
    good = facts.docker["ReadonlyRootfs"] is True and facts.container["root_write"] == "refused"
    return good, found, "ReadonlyRootfs True, a write by root was refused"


def _no_new_privileges(facts: Facts) -> Outcome:
    found = f"NoNewPrivs {facts.kernel['NoNewPrivs']}"
    return facts.kernel["NoNewPrivs"] == "1", found, "NoNewPrivs 1"


def _seccomp(facts: Facts) -> Outcome:
    off = any("seccomp=unconfined" in item for item in facts.docker.get("SecurityOpt") or [])
    return facts.kernel["Seccomp"] == "2" and not off, f"Seccomp {facts.kernel['Seccomp']}", "Seccomp 2, a filter"


def _files(facts: Facts) -> Outcome:
    owner, files = facts.service["image"]["user"], facts.container["files"]
    wrong = [
        f"{item['path']} {item['mode']} {item['owner']}"
        for item in files
        if item["mode"] != "0400" or item["owner"] != owner
    ]
    secrets = {item["path"].removeprefix(_SECRETS) for item in files if item["path"].startswith(_SECRETS)}
    wrong += [f"no {_SECRETS}{account}" for account in mounted_accounts(facts.service) if account not in secrets]
    return not wrong and bool(files), ", ".join(wrong) or f"{len(files)} files so", f"every file 0400 {owner}"


def _image(facts: Facts) -> Outcome:
    found = facts.container["image"][:19] + (f", {origin}" if (origin := facts.container["image_from"]) else "")
    return facts.container["image"].startswith("sha256:"), found, "an image by its id"


_INSPECT = "docker inspect -f '{{%s}}' CONTAINER"


def _limit(key: str) -> Callable[[Facts], Outcome]:
    wanted = {"Memory": "memory", "NanoCpus": "cpus", "PidsLimit": "pids"}[key]

    def judge(facts: Facts) -> Outcome:
        found = facts.docker.get(key) or 0
        return _is(found / 10**9 if key == "NanoCpus" else found, facts.service["limits"][wanted])

    return judge


CHECKS: Sequence[ContainerCheck] = (
    ContainerCheck("4.1", "It does not run as root", "docker exec CONTAINER grep Uid /proc/1/status", _user),
    ContainerCheck("5.2", "AppArmor confines it", _INSPECT % ".AppArmorProfile", _apparmor),
    ContainerCheck("5.4", "It has no capabilities", "docker exec CONTAINER grep Cap /proc/1/status", _capabilities),
    ContainerCheck(
        "5.5",
        "It is not privileged",
        _INSPECT % ".HostConfig.Privileged",
        lambda facts: _is(facts.docker["Privileged"], False),
    ),
    ContainerCheck("5.6", "Nothing of the host is mounted", _INSPECT % "json .Mounts", _mounts),
    ContainerCheck("5.8", "No privileged port is published", "docker port CONTAINER", _privileged_ports),
    ContainerCheck(
        "5.9", "It listens where it must alone", "docker exec CONTAINER cat /proc/net/{tcp,udp}{,6}", _sockets
    ),
    ContainerCheck("5.10", "It does not share the host's network", _INSPECT % ".HostConfig.NetworkMode", _network),
    ContainerCheck("5.11", "Its memory is limited", _INSPECT % ".HostConfig.Memory", _limit("Memory")),
    ContainerCheck("5.12", "Its CPU is limited", _INSPECT % ".HostConfig.NanoCpus", _limit("NanoCpus")),
    ContainerCheck(
        "5.13", "Its root file system is read-only", "docker exec -u 0 CONTAINER sh -c ': > /.ready-attack'", _read_only
    ),
    ContainerCheck("5.14", "It is published on the given address alone", "docker port CONTAINER; ss -ltn", _published),
    ContainerCheck("5.15", "It is restarted five times at most", _INSPECT % "json .HostConfig.RestartPolicy", _restart),
    ContainerCheck("5.16", "It sees no process of the host", _INSPECT % ".HostConfig.PidMode", _namespace("PidMode")),
    ContainerCheck(
        "5.17", "It shares no memory with the host", _INSPECT % ".HostConfig.IpcMode", _namespace("IpcMode")
    ),
    ContainerCheck(
        "5.18",
        "It has no device of the host",
        _INSPECT % "json .HostConfig.Devices",
        lambda facts: _is(", ".join(item["PathOnHost"] for item in facts.docker["Devices"] or []) or "none", "none"),
    ),
    ContainerCheck("5.20", "No mount of it reaches back to the host", _INSPECT % "json .Mounts", _propagation),
    ContainerCheck("5.21", "It can't change the host's name", _INSPECT % ".HostConfig.UTSMode", _namespace("UTSMode")),
    ContainerCheck("5.22", "System calls are filtered", "docker exec CONTAINER grep Seccomp /proc/1/status", _seccomp),
    ContainerCheck(
        "5.25",
        "It is in Docker's own cgroup",
        _INSPECT % ".HostConfig.CgroupParent",
        lambda facts: _is(facts.docker["CgroupParent"] or "Docker's", "Docker's"),
    ),
    ContainerCheck(
        "5.26", "It can gain no privileges", "docker exec CONTAINER grep NoNewPrivs /proc/1/status", _no_new_privileges
    ),
    ContainerCheck(
        "5.27",
        "It has a health test",
        _INSPECT % "json .Config.Healthcheck",
        lambda facts: _is("a test" if facts.container["has_health_test"] else "none", "a test"),
    ),
    ContainerCheck("5.29", "Its processes are limited", _INSPECT % ".HostConfig.PidsLimit", _limit("PidsLimit")),
    ContainerCheck(
        "5.30",
        "It is not on the network that all containers share",
        _INSPECT % "json .NetworkSettings.Networks",
        lambda facts: (
            _DOCKER0 not in facts.container["networks"],
            ", ".join(facts.container["networks"]),
            "no bridge",
        ),
    ),
    ContainerCheck(
        "5.31", "It does not share the host's users", _INSPECT % ".HostConfig.UsernsMode", _namespace("UsernsMode")
    ),
    ContainerCheck(
        "5.32",
        "It can't reach Docker",
        _INSPECT % "json .Mounts",
        lambda facts: _is(
            ", ".join(str(item["Source"]) for item in facts.container["mounts"] if "docker.sock" in str(item["Source"]))
            or "no docker.sock",
            "no docker.sock",
        ),
    ),
    ContainerCheck("image", "It runs from a known image", _INSPECT % ".Image", _image),
    ContainerCheck(
        "secret_files",
        "Its secret files are its own user's alone",
        "docker exec -u 0 CONTAINER find /run/ready -type f -exec stat -c '%a %u:%g %n' {} +",
        _files,
    ),
    ContainerCheck("secrets_mount", "It can't change its secret files", _INSPECT % "json .Mounts", _read_only_secrets),
)


def run(check: ContainerCheck, facts: Facts) -> tuple[str, str, str]:
    """Return verdict, found and expected of one check."""
    passed, found, expected = check.judge(facts)
    verdict = passed if isinstance(passed, str) else PASS if passed else FAIL
    return verdict, found, expected
