# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a service's container must be, what it is, and where the two differ: pure functions over plain data."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

LABEL_STACK = "io.ready.stack"
LABEL_SERVICE = "io.ready.service"
LABEL_CONFIG = "io.ready.config"
#: The image that `up` made a container of; no part of what the inventory asks for, since a container keeps its image.
LABEL_IMAGE_ID = "io.ready.image_id"
LABEL_SOURCE = "io.ready.source"
LABEL_DATA_FORMAT = "io.ready.data_format"
LABEL_ENGINE = "io.ready.engine_version"
#: On the copy of old data that an upgrade keeps: its service, and the volume that it is a copy of.
LABEL_KEPT, LABEL_KEPT_OF = "io.ready.kept", "io.ready.kept_of"
#: On the copy that something else than an upgrade keeps: what.
LABEL_KEPT_FOR = "io.ready.kept_for"
#: On what an upgrade needs only while it runs: whatever carries it is removed when it ends.
LABEL_UPGRADE = "io.ready.upgrade"
#: On what the trial of a changed service needs: its name.
LABEL_TRIAL = "io.ready.trial"
#: On what keeps a container and its files that are being replaced: its service. The container itself has another name.
LABEL_REPLACED, REPLACED = "io.ready.replaced", "-replaced"
#: Whatever carries one of these is of a run that was killed, and goes by the next one.
LEFTOVERS = frozenset({LABEL_TRIAL, LABEL_REPLACED})
#: What runs beside a service, by name -> the variable that asks for it: services/sidecars/.
SIDECARS = {"wal": "backup_pitr"}
CONFIG_PATH = "/run/ready"
TMPFS_OPTIONS = "rw,nosuid,nodev,noexec"
RESTART_POLICY = "unless-stopped"
LOG_OPTIONS = {"max-size": "10m", "max-file": "3"}
SECURITY_OPTIONS = ["no-new-privileges:true"]
_NANO = 10**9


def containers(stack: Mapping[str, Any], only: Iterable[str] = ()) -> dict[str, Any]:
    """Return name -> whatever of a resolved stack has a container: services, and sidecars, which nobody asks for data.

    Args:
        stack: the resolved stack.
        only: names of those that are meant, each with its sidecars; all of them when there is none.
    """
    everything = {**stack["services"], **stack.get("sidecars", {})}
    wanted = set(only)
    return {name: its for name, its in everything.items() if not wanted or {name, its.get("of")} & wanted}


def files_copy(config_volume: str) -> str:
    """Return the name of the volume that keeps the files of before, while a container is replaced."""
    return f"{config_volume}_replaced"


def labels(stack: str, service: str, config: str | None) -> dict[str, str]:
    """Return the ownership labels of a service's container."""
    return {LABEL_STACK: stack, LABEL_SERVICE: service, LABEL_CONFIG: config or ""}


def desired(service: Mapping[str, Any], stack: str, network: str, image_id: str | None) -> dict[str, Any]:
    """Return what the container of a resolved service must be, in the form that `actual` returns."""
    health = service["health"]
    return {
        "image": image_id,
        "user": service["image"]["user"],
        "entrypoint": service.get("entrypoint"),
        "command": service["command"],
        "env": {key: str(value) for key, value in service["env"].items()},
        "memory": service["limits"]["memory"],
        "memory_swap": service["limits"]["memory"],
        "cpus": service["limits"]["cpus"],
        "pids": service["limits"]["pids"],
        "shm_size": _bytes(service.get("shm_size", "64m")),
        "cap_drop": ["ALL"],
        "cap_add": [],
        "privileged": False,
        "security_opt": SECURITY_OPTIONS,
        "read_only": True,
        "ports": {f"{port['container']}/tcp": f"{port['bind']}:{port['host']}" for port in service["ports"]},
        "volumes": {
            **{volume["path"]: f"{volume['name']}:rw" for volume in service["volumes"]},
            CONFIG_PATH: f"{service['config_volume']}:ro",
        },
        "tmpfs": {path: f"{TMPFS_OPTIONS},{options}" for path, options in service["tmpfs"].items()},
        "stop_timeout": service["stop_timeout"],
        "restart": RESTART_POLICY,
        "log": {"driver": "json-file", **LOG_OPTIONS},
        "networks": [network],
        "health": {
            "test": service["health"]["test"],
            **{key: int(health[key]) for key in ("interval", "timeout", "retries", "start_period")},
        },
        "labels": labels(stack, service["name"], service.get("config_hash")),
    }


def _bytes(size: str | int) -> int:
    units = {"k": 2**10, "m": 2**20, "g": 2**30}
    text = str(size).lower().removesuffix("b")
    return int(float(text[:-1]) * units[text[-1]]) if text[-1] in units else int(text)


def actual(inspected: Mapping[str, Any], image_env: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Return what a container is, from `docker inspect`'s answer. `image_env` is what the image itself sets."""
    config, host = inspected["Config"], inspected["HostConfig"]
    env = dict(item.partition("=")[::2] for item in config.get("Env") or [])
    for key, value in (image_env or {}).items():
        if env.get(key) == value:
            del env[key]
    check = config.get("Healthcheck") or {}
    return {
        "image": inspected["Image"],
        "user": config.get("User", ""),
        "entrypoint": config.get("Entrypoint"),
        "command": config.get("Cmd"),
        "env": env,
        "memory": host.get("Memory"),
        "memory_swap": host.get("MemorySwap"),
        "cpus": (host.get("NanoCpus") or 0) / _NANO,
        "pids": host.get("PidsLimit"),
        "shm_size": host.get("ShmSize"),
        "cap_drop": host.get("CapDrop") or [],
        "cap_add": host.get("CapAdd") or [],
        "privileged": host.get("Privileged", False),
        "security_opt": host.get("SecurityOpt") or [],
        "read_only": host.get("ReadonlyRootfs", False),
        "ports": {
            port: ",".join(f"{binding['HostIp']}:{binding['HostPort']}" for binding in bindings or [])
            for port, bindings in (host.get("PortBindings") or {}).items()
        },
        "volumes": {
            mount["Destination"]: f"{mount.get('Name') or mount.get('Source')}:{'rw' if mount['RW'] else 'ro'}"
            for mount in inspected.get("Mounts") or []
            if mount["Type"] in {"volume", "bind"}
        },
        "tmpfs": host.get("Tmpfs") or {},
        "stop_timeout": config.get("StopTimeout"),
        "restart": (host.get("RestartPolicy") or {}).get("Name"),
        "log": {"driver": host["LogConfig"]["Type"], **(host["LogConfig"].get("Config") or {})},
        "networks": sorted((inspected.get("NetworkSettings") or {}).get("Networks") or {}),
        "health": {
            "test": check.get("Test"),
            "interval": int(check.get("Interval", 0) / _NANO),
            "timeout": int(check.get("Timeout", 0) / _NANO),
            "retries": check.get("Retries"),
            "start_period": int(check.get("StartPeriod", 0) / _NANO),
        },
        "labels": {key: value for key, value in (config.get("Labels") or {}).items() if key.startswith("io.ready.")},
    }


def differences(want: Mapping[str, Any], have: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return key -> {found, expected} for everything that has drifted; an expected None is "as the image says"."""
    found = {}
    for key, expected in want.items():
        value = have.get(key)
        if expected is None:
            continue
        if key == "labels":
            value = {name: (value or {}).get(name) for name in expected}
        if value != expected:
            found[key] = {"found": value, "expected": expected}
    return found


def other_image(config: Mapping[str, Any]) -> dict[str, dict[str, Any]]:
    """Return {image: {found, expected}} for a container that was made anew of another image than `up` took.

    Whoever replaces an image by hand, or has it done, copies the container's labels. A container without that label
    is of a time before it.
    """
    made_of, has = (config["labels"] or {}).get(LABEL_IMAGE_ID), config["image"]
    return {"image": {"found": has[:19], "expected": made_of[:19]}} if made_of and made_of != has else {}


def summary(drift: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return drift as short lines: `memory: found 1, expected 2`, `volumes /data: found x:ro, expected x:rw`.

    Of a mapping each field that differs has a line. Long values (scripts, hashes) are named alone, and so is everything
    in the environment: what somebody put there by hand may be a secret.
    """
    lines = []
    for key, values in drift.items():
        found, expected = values["found"], values["expected"]
        if not (isinstance(found, Mapping) and isinstance(expected, Mapping)):
            lines.append(_difference(key, found, expected))
            continue
        for name in sorted({*found, *expected}):
            if name in found and name in expected and found[name] == expected[name]:
                continue
            if key == "env":
                word = "missing" if name not in found else "changed" if name in expected else "not in the inventory"
                lines.append(f"env {name}: {word}")
            else:
                lines.append(_difference(f"{key} {name}", found.get(name), expected.get(name)))
    return lines


def _difference(name: str, found: Any, expected: Any) -> str:
    line = f"{name}: found {found}, expected {expected}"
    return line if len(line) <= 160 else f"{name} differs"


def module_options(
    service: Mapping[str, Any], stack: str, network: str, image: str, image_id: str | None
) -> dict[str, Any]:
    """Return the options of community.docker.docker_container that make what `desired` describes."""
    want = desired(service, stack, network, image_id)
    options = {
        "name": service["container"],
        "image": image,
        "command": want["command"],
        "user": want["user"],
        "env": want["env"],
        "memory": str(want["memory"]),
        "memory_swap": str(want["memory_swap"]),
        "cpus": want["cpus"],
        "pids_limit": want["pids"],
        "shm_size": str(want["shm_size"]),
        "cap_drop": want["cap_drop"],
        "security_opts": want["security_opt"],
        "read_only": True,
        "published_ports": [f"{port['bind']}:{port['host']}:{port['container']}" for port in service["ports"]],
        "volumes": [
            f"{value.rpartition(':')[0]}:{path}:{value.rpartition(':')[2]}" for path, value in want["volumes"].items()
        ],
        "tmpfs": [f"{path}:{value}" for path, value in want["tmpfs"].items()],
        "stop_timeout": want["stop_timeout"],
        "restart_policy": want["restart"],
        "log_driver": want["log"]["driver"],
        "log_options": LOG_OPTIONS,
        "networks": [{"name": network, "aliases": [service["name"]]}],
        "networks_cli_compatible": True,
        "healthcheck": {
            "test": want["health"]["test"],
            **{key: f"{want['health'][key]}s" for key in ("interval", "timeout", "start_period")},
            "retries": want["health"]["retries"],
        },
        "labels": want["labels"] | ({LABEL_IMAGE_ID: image_id} if image_id else {}),
    }
    if want["entrypoint"]:
        options["entrypoint"] = want["entrypoint"]
    return options
