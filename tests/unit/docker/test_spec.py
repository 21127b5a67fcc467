"""What a container is made of, and what is compared."""

from __future__ import annotations

import copy
import json
import re
from dataclasses import dataclass, replace
from typing import Any

import pytest
from ready.docker.drift import summary
from ready.docker.spec import ContainerSpec, option
from ready.stack.definitions import load_definitions
from ready.stack.schema import faults

from tests.unit.conftest import resolved_stack

#: Docker takes a name without a slash for a volume of its own, everything else for a path of the host.
OWN_VOLUME = re.compile(r"[a-z0-9][a-z0-9_.-]*")


def test_nothing_of_the_host_is_mounted() -> None:
    """Docker Desktop starts containers before a distro's files are there (docker/for-win#14924): volumes alone.

    Secrets, certificates and configuration among them; with every service, and TLS wherever there is any.
    """
    definitions = load_definitions()
    tls = {f"{name}_tls": {"enabled": True} for name, its in definitions.items() if "tls" in its}
    stack = resolved_stack(ready_services=list(definitions), **tls)
    assert set(stack["services"]) == set(definitions)
    for name, service in stack["services"].items():
        container, host = ContainerSpec.from_service(service, stack["name"], stack["network"]).arguments()
        sources = [volume.split(":")[0] for volume in host["binds"]]
        assert [source for source in sources if not OWN_VOLUME.fullmatch(source)] == [], name
        assert service["config_volume"] in sources, name
        assert all(source.startswith(f"{stack['name']}_") for source in sources), name
        assert not {"mounts", "devices", "volumes_from", "volumes"} & {*container, *host}, name
        assert host["restart_policy"] == {"Name": "unless-stopped"}, name


@pytest.mark.parametrize("source", ["/srv/redis", "./data", "~/data", "redis/data"])
def test_definition_cannot_name_a_path_of_the_host(source: str) -> None:
    """The schema refuses it."""
    definition = copy.deepcopy(load_definitions()["redis"])
    assert faults(definition, "service.schema.json") == []
    definition["volumes"][0]["name"] = source
    assert source in str(faults(definition, "service.schema.json"))


def test_mount_of_a_path_is_drift(stack: dict[str, Any]) -> None:
    """Somebody put the data on a folder of the distro: `up` recreates the container, on its volume."""
    service = stack["services"]["redis"]
    want = ContainerSpec.from_service(service, stack["name"], stack["network"])
    mounts = [{"Type": "bind", "Source": "/home/ready/data", "Destination": "/data", "RW": True}]
    host = {"LogConfig": {"Type": "json-file"}}
    inspected = {"Config": {}, "HostConfig": host, "Image": "x", "Mounts": mounts}
    found = want.diff(ContainerSpec.from_inspect(inspected))
    assert "volumes /data: found /home/ready/data:rw, expected ready_redis_data:rw" in summary(found)


@dataclass(frozen=True)
class WithInit(ContainerSpec):
    """A specification with an option that containers do not have yet."""

    init: bool | None = option(
        wanted=lambda its: its.get("init", False), found=lambda its: its["HostConfig"].get("Init"), host="init"
    )


def test_an_option_is_one_field(stack: dict[str, Any]) -> None:
    """Its line makes it wanted, found, compared and created; the other place is the schema of the definitions."""
    service = stack["services"]["redis"] | {"init": True}
    want = WithInit.from_service(service, "ready", "ready", "sha256:1")
    inspected = {"Config": {}, "HostConfig": {"LogConfig": {"Type": "none"}, "Init": False}, "Image": "sha256:1"}
    found = WithInit.from_inspect(inspected)
    assert want.init is True
    assert want.diff(found)["init"] == {"found": False, "expected": True}
    assert want.diff(replace(found, init=True)).get("init") is None
    assert want.arguments()[1]["init"] is True
    assert WithInit.from_dict(json.loads(json.dumps(want.as_dict()))) == want
    usual = ContainerSpec.from_service(service, "ready", "ready", "sha256:1")
    assert "init" not in {**usual.as_dict(), **usual.arguments()[1]}
