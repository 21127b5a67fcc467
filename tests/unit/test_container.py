"""Drift as people read it."""

from __future__ import annotations

import copy
import re
from typing import Any

import pytest
from ready.container import actual, desired, differences, module_options, summary
from ready.definitions import load_definitions
from ready.schema import faults

from .conftest import resolved_stack


@pytest.mark.parametrize(
    ("key", "found", "expected", "lines"),
    [
        ("memory", 1, 2, ["memory: found 1, expected 2"]),
        ("command", ["x" * 200], [], ["command differs"]),
        (
            "volumes",
            {"/data": "a:ro", "/x": "b:rw"},
            {"/data": "a:rw", "/x": "b:rw", "/y": "c:rw"},
            ["volumes /data: found a:ro, expected a:rw", "volumes /y: found None, expected c:rw"],
        ),
        ("ports", None, {"1/tcp": "127.0.0.1:1"}, ["ports: found None, expected {'1/tcp': '127.0.0.1:1'}"]),
    ],
)
def test_field_is_named(key: str, found: Any, expected: Any, lines: list[str]) -> None:
    """With both values, unless they are long; of a mapping each field by itself."""
    assert summary({key: {"found": found, "expected": expected}}) == lines


def test_environment_is_never_shown() -> None:
    """What somebody put there by hand may be a secret."""
    found = {"PASSWORD": "s3cret", "MODE": "s3cret", "SAME": "1"}
    expected = {"MODE": "prod", "NEEDED": "1", "SAME": "1"}
    assert summary({"env": {"found": found, "expected": expected}}) == [
        "env MODE: changed",
        "env NEEDED: missing",
        "env PASSWORD: not in the inventory",
    ]


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
        options = module_options(service, stack["name"], stack["network"], "image", None)
        sources = [volume.split(":")[0] for volume in options["volumes"]]
        assert [source for source in sources if not OWN_VOLUME.fullmatch(source)] == [], name
        assert service["config_volume"] in sources, name
        assert all(source.startswith(f"{stack['name']}_") for source in sources), name
        assert not {"mounts", "devices", "volumes_from", "env_file"} & set(options), name
        assert options["restart_policy"] == "unless-stopped", name


@pytest.mark.parametrize("source", ["/srv/redis", "./data", "~/data", "redis/data"])
def test_definition_cannot_name_a_path_of_the_host(source: str) -> None:
    """The schema refuses it."""
    definition = copy.deepcopy(load_definitions()["redis"])
    assert faults(definition, "service.schema.json") == []
    definition["volumes"][0]["name"] = source
    assert source in str(faults(definition, "service.schema.json"))


def test_mount_of_a_path_is_drift(stack: dict[str, Any]) -> None:
    """Somebody put the data on a folder of the distro: `up` makes the container anew, on its volume."""
    service = stack["services"]["redis"]
    want = desired(service, stack["name"], stack["network"], None)
    mounts = [{"Type": "bind", "Source": "/home/ready/data", "Destination": "/data", "RW": True}]
    host = {"LogConfig": {"Type": "json-file"}}
    found = differences(want, actual({"Config": {}, "HostConfig": host, "Image": "x", "Mounts": mounts}))
    assert "volumes /data: found /home/ready/data:rw, expected ready_redis_data:rw" in summary(found)
