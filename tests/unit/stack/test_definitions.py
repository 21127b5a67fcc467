"""From service definitions and variables to one stack."""

from __future__ import annotations

import re
from typing import Any

import pytest
from ready.common.units import parse_size
from ready.stack import backends
from ready.stack.definitions import DefinitionError, load_definitions, override_names, resolve_stack, unknown_variables

from tests.unit.conftest import VARIABLES

BACKENDS = {
    "local": {"kind": "container", "title": "local model"},
    "external": {"kind": "external", "title": "external endpoint"},
    "none": {"kind": "none", "title": "switched off"},
}


def resolve(**variables: Any) -> dict[str, Any]:
    """Return the stack for the default variables and these."""
    return resolve_stack(load_definitions(), VARIABLES | variables)


def faults(**variables: Any) -> str:
    """Return what resolving with these variables complains about."""
    with pytest.raises(DefinitionError) as caught:
        resolve(**variables)
    return str(caught.value)


@pytest.mark.parametrize(
    ("text", "size"),
    [("512m", 512 << 20), ("1.5g", 3 << 29), ("2 GiB", 2 << 30), ("1k", 1024), (1024, 1024), ("7b", 7)],
)
def test_parse_size(text: str | int, size: int) -> None:
    """Units are binary, as Docker's are."""
    assert parse_size(text) == size


@pytest.mark.parametrize("text", ["much", "5x", "", "-1m"])
def test_parse_size_refuses(text: str) -> None:
    """What is not a size is refused by its text."""
    with pytest.raises(ValueError, match="is not a size"):
        parse_size(text)


def test_defaults() -> None:
    """Names carry the stack, ports are on loopback, settings are tuned from the memory limit."""
    stack = resolve()
    postgresql = stack["services"]["postgresql"]
    assert list(stack["services"]) == VARIABLES["ready_services"]
    assert postgresql["container"] == "ready-postgresql"
    assert postgresql["volumes"] == [{"name": "ready_postgres_data", "path": "/var/lib/postgresql/data"}]
    assert postgresql["ports"][0]["bind"] == "127.0.0.1"
    assert postgresql["ports"][0]["host"] == 5432
    assert postgresql["settings"]["shared_buffers"] == "128MB"
    assert postgresql["env"]["POSTGRES_DB"] == "kailash_production"


def test_overrides() -> None:
    """Every kind of override lands where it belongs; mappings merge; tuning follows the memory limit."""
    services = resolve(
        stack_name="two",
        postgresql_port=15432,
        postgresql_memory="2g",
        postgresql_settings={"max_connections": 7},
        postgresql_accounts={"app": {"login": "shop"}},
        neo4j_bolt_port="17687",
        redis_bind_address="127.0.0.2",
        redis_image="example/redis:7",
        chromadb_health={"deadline": 5},
    )["services"]
    assert services["postgresql"]["ports"][0]["host"] == 15432
    assert services["postgresql"]["settings"]["shared_buffers"] == "512MB"
    assert services["postgresql"]["settings"]["max_connections"] == 7
    assert services["postgresql"]["settings"]["wal_compression"] == "on"
    assert services["postgresql"]["accounts"]["app"]["login"] == "shop"
    assert services["postgresql"]["accounts"]["app"]["rights"]
    assert [port["host"] for port in services["neo4j"]["ports"]] == [17687, 7474]
    assert services["redis"]["ports"][0]["bind"] == "127.0.0.2"
    assert services["redis"]["image"]["override"] == "example/redis:7"
    assert services["chromadb"]["health"]["deadline"] == 5
    assert services["chromadb"]["health"]["retries"] == 5
    assert services["redis"]["volumes"][0]["name"] == "two_redis_data"


@pytest.mark.parametrize(
    ("variables", "message"),
    [
        ({"ready_services": ["postgres"]}, "unknown service 'postgres'.*Did you mean postgresql"),
        ({"stack_name": "Big Stack"}, "stack_name: found 'Big Stack'"),
        ({"postgresql_port": 70000}, "postgresql_port: found 70000, expected a TCP port"),
        ({"redis_port": "x"}, "redis_port: found 'x'"),
        ({"redis_port": 5432}, "redis_port: port 5432 is postgresql_port's already"),
        ({"neo4j_memory": "lots"}, "neo4j limits: 'lots' is not a size"),
        ({"redis_settings": "appendonly no"}, "redis_settings: found text, expected a mapping"),
        ({"redis_command": "redis-server"}, "redis_command: found text, expected a list"),
        ({"ready_bind_address": "everywhere"}, "expected an IP address"),
        ({"ready_services": ["redis", "gateway"]}, "ready_services: found gateway without chromadb"),
        ({"ready_tls": "perhaps"}, "ready_tls: found 'perhaps', expected true or false"),
        ({"redis_tls": {"enabled": 3}}, "redis_tls.enabled: found 3, expected true or false"),
        ({"redis_tls": True}, "redis_tls: found true or false, expected a mapping"),
        ({"redis_tls": {"certficate": "a"}}, "redis_tls: found the unknown key certficate, expected some of"),
        (
            {"redis_tls": {"certificate": "a", "names": ["b"]}},
            "found certificate alone, expected certificate, key and ca",
        ),
        ({"redis_tls": {"certificate": "a", "key": "b", "ca": "c"}}, "redis_tls.names: found none, expected the names"),
        ({"redis_tls": {"names": "a"}}, "redis_tls.names: found text, expected a list"),
        (
            {"ready_services": ["chromadb", "gateway"], "gateway_tls": {"enabled": False}},
            "gateway_tls.enabled: found false, expected true",
        ),
    ],
)
def test_faults(variables: dict[str, Any], message: str) -> None:
    """Bad input is named: variable, found, expected."""
    assert re.search(message, faults(**variables))


def test_one_fault_is_named_once() -> None:
    """A service that another needs is there, whatever is wrong with it; one that is switched off is not."""
    assert faults(ready_services=["chromadb", "gateway"], chromadb_port=0) == (
        "chromadb_port: found 0, expected a TCP port from 1 to 65535"
    )


@pytest.mark.parametrize(
    ("variables", "postgresql", "redis"),
    [
        ({}, False, False),
        ({"ready_tls": True}, True, True),
        ({"ready_tls": "true"}, True, True),  # from the command line
        ({"ready_tls": True, "redis_tls": {"enabled": False}}, True, False),
        ({"redis_tls": {"enabled": "yes"}}, False, True),
        ({"ready_tls": True, "redis_tls": {"names": ["x"]}}, True, True),
    ],
)
def test_who_speaks_tls(variables: dict[str, Any], postgresql: bool, redis: bool) -> None:
    """`ready_tls` for all that can, `<service>_tls` for one; the gateway always."""
    names = ["postgresql", "neo4j", "chromadb", "redis", "gateway"]
    services = resolve(ready_services=names, **variables)["services"]
    found = {name: service["tls"]["enabled"] for name, service in services.items() if "tls" in service}
    assert (found["postgresql"], found["redis"], found["gateway"]) == (postgresql, redis, True)
    assert "chromadb" not in found
    http = services["neo4j"]["ports"][1]
    assert (http["container"], http["host"]) == (7473 if found["neo4j"] else 7474, 7474)
    assert ("--tls" in services["redis"]["health"]["test"][1]) == redis


def test_all_faults_at_once() -> None:
    """Nobody has to run it again to see the next fault."""
    text = faults(stack_name="?", redis_port=0, neo4j_memory="lots")
    assert len(text.splitlines()) == 3


def test_unknown_variables() -> None:
    """A misspelt name is found in our name spaces, and near them; others' variables are left alone."""
    known = set(override_names(load_definitions()["postgresql"])) | {"ready_services"}
    spaces = {"postgresql", "ready"}
    found = unknown_variables(
        ["postgresql_prot", "postgresqll_port", "ready_nonsense", "http_port", "ansible_host", "_postgresql_x"],
        known,
        spaces,
    )
    assert found == [
        "unknown variable postgresql_prot: nothing reads it. Did you mean postgresql_port?",
        "unknown variable postgresqll_port: nothing reads it. Did you mean postgresql_port?",
        "unknown variable ready_nonsense: nothing reads it.",
    ]


def test_a_version_is_one_of_the_lines() -> None:
    """It brings its tag and data format; a tag of one's own wins; what is no line is refused by those that are."""
    image = resolve(postgresql_version=17)["services"]["postgresql"]["image"]
    assert (image["version"], image["tag"], image["data_format"]["build"]) == ("17", "17-alpine", "17-glibc")
    assert "lines" not in image
    assert resolve(postgresql_version="15")["services"]["postgresql"]["image"]["tag"] == "15-alpine"
    own = resolve(redis_version="8", redis_tag="8.0.4-alpine")["services"]["redis"]["image"]
    assert (own["version"], own["tag"]) == ("8", "8.0.4-alpine")
    assert "postgresql_version: found '16', expected 15 or 17" in faults(postgresql_version="16")


def test_accounts_wait_for_the_server_itself() -> None:
    """PostgreSQL's first start has a server on its socket alone: accounts made there collide with the entrypoint's."""
    words = resolve()["services"]["postgresql"]["reconcile"][-1]
    assert words.index("pg_isready -q -h 127.0.0.1;") < words.index("psql ")


@pytest.mark.parametrize(
    ("found", "later"),
    [("external", True), ("none", True), ("elsewhere", False), ("", False), (False, False), (["external"], False)],
)
def test_backend_that_is_not_offered(found: Any, later: bool) -> None:
    """What other services may offer differs from what nobody does."""
    message = f"redis_backend: found {found}, expected container"
    assert faults(redis_backend=found) == message + (f"; {found} is not yet offered for redis" if later else "")


def test_backend_that_is_offered() -> None:
    """By the definition, under its own words; the default is the definition's."""
    definitions = load_definitions()
    assert {resolve()["services"][name]["backend"] for name in VARIABLES["ready_services"]} == {"container"}
    assert list(backends.offered(definitions["redis"])) == ["container"]
    endpoint = definitions["ai"]["endpoint"] | {"base_url": "https://redis.example.org"}
    definitions["redis"] |= {"backend": "local", "backends": BACKENDS, "endpoint": endpoint | {"chat": "model"}}
    assert backends.offered(definitions["redis"]) == BACKENDS
    for given, part in ((None, "services"), ("external", "external"), ("none", "off")):
        stack = resolve_stack(definitions, VARIABLES | {"redis_backend": given})
        found = {name: its for name in ("services", "external", "off") if (its := stack[name].get("redis"))}
        assert list(found) == [part], given
        assert found[part]["backend"] == (given or "local")
    with pytest.raises(DefinitionError, match="found container, expected local or external or none"):
        resolve_stack(definitions, VARIABLES | {"redis_backend": "container"})


def test_a_service_that_is_switched_off_carries_nobody() -> None:
    """What needs it is refused as if it were not named."""
    definitions = load_definitions()
    definitions["chromadb"] |= {"backend": "none", "backends": BACKENDS}
    names = ["chromadb", "gateway"]
    with pytest.raises(DefinitionError, match="found gateway without chromadb"):
        resolve_stack(definitions, VARIABLES | {"ready_services": names})


def test_definitions_name_a_backend_that_they_offer() -> None:
    """The default must be one of those that the inventory may choose, each of a kind that there is."""
    for definition in load_definitions().values():
        assert definition["backend"] in backends.offered(definition)
        assert {its["kind"] for its in backends.offered(definition).values()} <= set(backends.KINDS)
