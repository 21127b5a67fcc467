# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a container must be, what it is, and where the two differ: one type. Pure functions over plain data."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import TYPE_CHECKING, Any

from ..common.labels import LABEL_CONFIG, LABEL_IMAGE_ID, LABEL_MODEL, LABEL_SERVICE, LABEL_STACK
from ..common.units import parse_size
from ..stack.resolved import CONFIG_PATH, copy_volumes, data_volumes, published_ports, short_model

if TYPE_CHECKING:
    from typing_extensions import Self

TMPFS_OPTIONS = "rw,nosuid,nodev,noexec"
RESTART_POLICY = "unless-stopped"
LOG_OPTIONS = {"max-size": "10m", "max-file": "3"}
SECURITY_OPTIONS = ["no-new-privileges:true"]
NO_CAPABILITIES = ["ALL"]
_NANO = 10**9

_Data = Mapping[str, Any]
_Read = Callable[[_Data], Any]
_Write = Callable[[Any], dict[str, Any]]


def files_copy(config_volume: str) -> str:
    """Return the name of the volume that keeps the files of before, while a container is replaced."""
    return f"{config_volume}_replaced"


def labels(stack: str, service: str, config: str | None) -> dict[str, str]:
    """Return the ownership labels of a service's container."""
    return {LABEL_STACK: stack, LABEL_SERVICE: service, LABEL_CONFIG: config or ""}


def option(
    default: Any = None,
    *,
    wanted: _Read | None = None,
    found: _Read | None = None,
    container: str | _Write = "",
    host: str | _Write = "",
    tried: bool = False,
) -> Any:
    """Return a field of a container's specification with its conversions: this line is all that an option takes here.

    Args:
        default: its value where nothing is stated; None is "as the image or the daemon has it".
        wanted: resolved service -> value; none where the creator gives it.
        found: answer of `docker inspect` -> value; none where it is no part of the comparison.
        container: the argument of the SDK's `create_container` that takes the value, or value -> arguments.
        host: the same of `create_host_config`.
        tried: another value may keep the service from starting: `up` tries it first.
    """
    conversions = {"wanted": wanted, "found": found, "container": container, "host": host, "tried": tried}
    return field(default=default, metadata=conversions)


def _health_of(service: _Data) -> dict[str, Any]:
    health = service["health"]
    return {
        "test": health["test"],
        "interval": int(health["interval"]),
        "timeout": int(health["timeout"]),
        "retries": int(health["retries"]),
        "start_period": int(health["start_period"]),
    }


def _volumes_of(service: _Data) -> dict[str, str]:
    return {
        **{volume["path"]: f"{volume['name']}:rw" for volume in data_volumes(service)},
        **{volume["path"]: f"{volume['name']}:ro" for volume in copy_volumes(service)},
        CONFIG_PATH: f"{service['config_volume']}:ro",
    }


def _found_ports(inspected: _Data) -> dict[str, str]:
    return {
        port: ",".join(f"{binding['HostIp']}:{binding['HostPort']}" for binding in bindings or [])
        for port, bindings in (inspected["HostConfig"].get("PortBindings") or {}).items()
    }


def _found_volumes(inspected: _Data) -> dict[str, str]:
    return {
        mount["Destination"]: f"{mount.get('Name') or mount.get('Source')}:{'rw' if mount['RW'] else 'ro'}"
        for mount in inspected.get("Mounts") or []
        if mount["Type"] in {"volume", "bind"}
    }


def _found_labels(inspected: _Data) -> dict[str, str]:
    every = inspected["Config"].get("Labels") or {}
    return {key: value for key, value in every.items() if key.startswith("io.ready.")}


def _found_log(inspected: _Data) -> dict[str, Any]:
    log = inspected["HostConfig"]["LogConfig"]
    return {"driver": log["Type"], **(log.get("Config") or {})}


def _found_health(inspected: _Data) -> dict[str, Any]:
    check = inspected["Config"].get("Healthcheck") or {}
    return {
        "test": check.get("Test"),
        "interval": int(check.get("Interval", 0) / _NANO),
        "timeout": int(check.get("Timeout", 0) / _NANO),
        "retries": check.get("Retries"),
        "start_period": int(check.get("StartPeriod", 0) / _NANO),
    }


def _port_bindings(ports: Mapping[str, str]) -> dict[int, tuple[str, int]]:
    split = {int(inside.partition("/")[0]): outside.rpartition(":") for inside, outside in ports.items()}
    return {port: (bind, int(outside)) for port, (bind, _, outside) in split.items()}


def _make_binds(volumes: Mapping[str, str]) -> dict[str, Any]:
    split = {path: value.rpartition(":") for path, value in volumes.items()}
    return {"binds": [f"{volume}:{path}:{mode}" for path, (volume, _, mode) in split.items()]}


def _make_health(check: Mapping[str, Any]) -> dict[str, Any]:
    nanoseconds = {key: check[key] * _NANO for key in ("interval", "timeout", "start_period") if key in check}
    return {"healthcheck": {**check, **nanoseconds}}


def _make_log(log: Mapping[str, str]) -> dict[str, Any]:
    return {"log_config": {"type": log["driver"], "config": {key: log[key] for key in log if key != "driver"}}}


def _make_aliases(aliases: Mapping[str, Sequence[str]]) -> dict[str, Any]:
    return {"networking_config": {"EndpointsConfig": {name: {"Aliases": [*its]} for name, its in aliases.items()}}}


@dataclass(frozen=True)
class ContainerSpec:
    """One container: what a service's must be, what there is, or what is to be created. All values are plain data.

    Without more it has no network. Sizes are bytes, times seconds; `user` is "uid:gid"; None is "as the image or the
    daemon has it". Fields whose values say less than their names:

    Attributes:
        name: "" lets Docker choose one.
        image: the image's id.
        reference: what `docker ps` shows as the image; the id, where there is none.
        ports: "6379/tcp" -> "127.0.0.1:6379"; port 0 lets Docker choose.
        volumes: path -> "volume:rw" or "volume:ro".
        anonymous: paths of volumes without a name, which go with the container.
        networks: the names; "host" is the host's.
        aliases: network -> names by which others there find it.
        health: {test, interval, timeout, retries, start_period}.
        log: {driver} and the driver's own options.
        labels: what is found and is not wanted is no difference.
        client_proxy: whether the environment gets the proxies of the Docker client's configuration.
    """

    name: str = option("", wanted=lambda its: its["container"], container=lambda name: {"name": name or None})
    image: str | None = option(found=lambda its: its["Image"])
    reference: str = option("")
    user: str = option(
        "",
        wanted=lambda its: its["image"]["user"],
        found=lambda its: its["Config"].get("User", ""),
        container=lambda user: {"user": user or None},
        tried=True,
    )
    hostname: str | None = option(container="hostname")
    entrypoint: Sequence[str] | None = option(
        wanted=lambda its: its.get("entrypoint") or None,
        found=lambda its: its["Config"].get("Entrypoint"),
        container="entrypoint",
        tried=True,
    )
    command: Sequence[str] | None = option(
        wanted=lambda its: its["command"], found=lambda its: its["Config"].get("Cmd"), container="command", tried=True
    )
    workdir: str | None = option(container="working_dir")
    stdin: bool | None = option(container="stdin_open")
    env: Mapping[str, str] | None = option(
        wanted=lambda its: {key: str(value) for key, value in its["env"].items()},
        found=lambda its: dict(item.partition("=")[::2] for item in its["Config"].get("Env") or []),
        container="environment",
        tried=True,
    )
    client_proxy: bool = option(False, container="use_config_proxy")
    memory: int | None = option(
        wanted=lambda its: its["limits"]["memory"],
        found=lambda its: its["HostConfig"].get("Memory"),
        host="mem_limit",
        tried=True,
    )
    memory_swap: int | None = option(
        wanted=lambda its: its["limits"]["memory"],
        found=lambda its: its["HostConfig"].get("MemorySwap"),
        host="memswap_limit",
        tried=True,
    )
    cpus: float | None = option(
        wanted=lambda its: its["limits"]["cpus"],
        found=lambda its: (its["HostConfig"].get("NanoCpus") or 0) / _NANO,
        host=lambda cpus: {"nano_cpus": round(cpus * _NANO)},
        tried=True,
    )
    pids: int | None = option(
        wanted=lambda its: its["limits"]["pids"],
        found=lambda its: its["HostConfig"].get("PidsLimit"),
        host="pids_limit",
        tried=True,
    )
    shm_size: int | None = option(
        wanted=lambda its: parse_size(its.get("shm_size", "64m")),
        found=lambda its: its["HostConfig"].get("ShmSize"),
        host="shm_size",
        tried=True,
    )
    cap_drop: Sequence[str] | None = option(
        wanted=lambda _: [*NO_CAPABILITIES], found=lambda its: its["HostConfig"].get("CapDrop") or [], host="cap_drop"
    )
    cap_add: Sequence[str] | None = option(
        wanted=lambda _: [], found=lambda its: its["HostConfig"].get("CapAdd") or [], host="cap_add"
    )
    privileged: bool | None = option(
        wanted=lambda _: False, found=lambda its: its["HostConfig"].get("Privileged", False), host="privileged"
    )
    security_opt: Sequence[str] | None = option(
        wanted=lambda _: [*SECURITY_OPTIONS],
        found=lambda its: its["HostConfig"].get("SecurityOpt") or [],
        host="security_opt",
    )
    read_only: bool | None = option(
        wanted=lambda _: True, found=lambda its: its["HostConfig"].get("ReadonlyRootfs", False), host="read_only"
    )
    ports: Mapping[str, str] | None = option(
        wanted=lambda its: {
            f"{port['container']}/tcp": f"{port['bind']}:{port['host']}" for port in published_ports(its)
        },
        found=_found_ports,
        container=lambda ports: {"ports": [(port, "tcp") for port in _port_bindings(ports)]},
        host=lambda ports: {"port_bindings": _port_bindings(ports)},
    )
    volumes: Mapping[str, str] | None = option(
        wanted=_volumes_of,
        found=_found_volumes,
        host=_make_binds,
    )
    anonymous: Sequence[str] | None = option(container="volumes")
    tmpfs: Mapping[str, str] | None = option(
        wanted=lambda its: {path: f"{TMPFS_OPTIONS},{more}" for path, more in its["tmpfs"].items()},
        found=lambda its: its["HostConfig"].get("Tmpfs") or {},
        host="tmpfs",
        tried=True,
    )
    stop_timeout: int | None = option(
        wanted=lambda its: its["stop_timeout"],
        found=lambda its: its["Config"].get("StopTimeout"),
        container="stop_timeout",
    )
    restart: str | None = option(
        wanted=lambda _: RESTART_POLICY,
        found=lambda its: (its["HostConfig"].get("RestartPolicy") or {}).get("Name"),
        host=lambda name: {"restart_policy": {"Name": name}},
    )
    log: Mapping[str, str] | None = option(
        wanted=lambda _: {"driver": "json-file", **LOG_OPTIONS}, found=_found_log, host=_make_log
    )
    networks: Sequence[str] = option(
        (),
        found=lambda its: sorted((its.get("NetworkSettings") or {}).get("Networks") or {}),
        host=lambda names: {"network_mode": next(iter(names), "none")},
    )
    aliases: Mapping[str, Sequence[str]] | None = option(container=_make_aliases)
    health: Mapping[str, Any] | None = option(wanted=_health_of, found=_found_health, container=_make_health)
    labels: Mapping[str, str] | None = option(
        found=_found_labels,
        container="labels",
    )

    @classmethod
    def from_service(cls, service: _Data, stack: str, network: str, image: str | None = None) -> Self:
        """Return what the container of a resolved service must be.

        Args:
            service: the resolved service.
            stack: the stack's name.
            network: its network's name.
            image: the image's id; None compares no image.
        """
        wanted = {its.name: its.metadata["wanted"](service) for its in fields(cls) if its.metadata["wanted"]}
        models = {f"{LABEL_MODEL}{role}": short_model(its) for role, its in service.get("models", {}).items()}
        return cls(
            **wanted,
            image=image,
            networks=[network],
            aliases={network: [service["name"]]},
            labels=labels(stack, service["name"], service.get("config_hash")) | models,
        )

    @classmethod
    def from_inspect(cls, inspected: _Data, image_env: Mapping[str, str] | None = None) -> Self:
        """Return what a container is, from `docker inspect`'s answer. `image_env` is what the image itself sets."""
        found = {its.name: its.metadata["found"](inspected) for its in fields(cls) if its.metadata["found"]}
        own = (image_env or {}).items()
        return cls(**found | {"env": {key: value for key, value in found["env"].items() if (key, value) not in own}})

    @classmethod
    def from_dict(cls, values: _Data) -> Self:
        """Return the specification that `as_dict` made these values of; others are ignored."""
        return cls(**{its.name: values[its.name] for its in fields(cls) if its.name in values})

    def as_dict(self) -> dict[str, Any]:
        """Return what is stated, as it travels between controller and host."""
        every = {its.name: getattr(self, its.name) for its in fields(self)}
        return {name: value for name, value in every.items() if value is not None}

    def diff(self, found: ContainerSpec) -> dict[str, dict[str, Any]]:
        """Return field -> {found, expected} for everything in which a container differs from this."""
        drift = {}
        for its in fields(self):
            expected, value = getattr(self, its.name), getattr(found, its.name, None)
            if its.metadata["found"] is None or expected is None:
                continue
            if its.name == "labels":
                value = {name: (value or {}).get(name) for name in expected}
            if value != expected:
                drift[its.name] = {"found": value, "expected": expected}
        return drift

    def made_from(self, reference: str, more_labels: Mapping[str, str] | None = None) -> Self:
        """Return this with what only a new container gets: the image's name, its id as a label, more labels."""
        made_of = {LABEL_IMAGE_ID: self.image} if self.image else {}
        return replace(self, reference=reference, labels={**(self.labels or {}), **made_of, **(more_labels or {})})

    def arguments(self) -> tuple[dict[str, Any], dict[str, Any]]:
        """Return the arguments of the SDK's `create_container` and of its `create_host_config`; `create` calls both."""
        made: dict[str, dict[str, Any]] = {"container": {"image": self.reference or self.image}, "host": {}}
        for its in fields(self):
            value = getattr(self, its.name)
            for place, arguments in made.items():
                how = its.metadata[place]
                if how and value is not None:
                    arguments |= {how: value} if isinstance(how, str) else how(value)
        return made["container"], made["host"]


#: The fields whose change may keep a service from starting.
TRIED = frozenset(its.name for its in fields(ContainerSpec) if its.metadata["tried"])
#: What a throwaway container has no use for.
NO_RIGHTS: dict[str, Any] = {"cap_drop": NO_CAPABILITIES, "security_opt": SECURITY_OPTIONS}
