"""Settings are read back as they were written, and what can't be used is named without its value."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ready.connections.environment import NAMED_BY, SettingsError, read_env_file, services_in_settings
from ready.connections.settings import as_text, settings
from ready.stack.definitions import load_definitions, resolve_stack

PASSWORDS = {name: {"app": f"s3cret-{name}"} for name in ("postgresql", "neo4j", "redis", "gateway")}
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]


def stack(services: list[str]) -> dict[str, Any]:
    """Return a resolved stack on separate ports."""
    variables = {
        "stack_name": "ready",
        "ready_services": services,
        "ready_bind_address": "127.0.0.1",
        "postgresql_port": 15432,
        "redis_port": 16379,
        "neo4j_bolt_port": 17687,
        "neo4j_http_port": 17474,
        "chromadb_port": 18000,
    }
    return resolve_stack(load_definitions(), variables)


def test_what_env_writes_is_read_back(tmp_path: Path) -> None:
    """Addresses, logins, database and passwords are those of the stack, through the file that people keep."""
    resolved, path = stack(SERVICES), tmp_path / ".env"
    path.write_text(as_text(settings(resolved, PASSWORDS), "dotenv"))
    found = services_in_settings(read_env_file(path))
    assert list(found.services) == SERVICES
    for name, service in found.services.items():
        wanted = resolved["services"][name]
        assert {(port["name"], port["bind"], port["host"]) for port in service["ports"]} == {
            (port["name"], port["bind"], port["host"]) for port in wanted["ports"]
        }
        assert service["accounts"].get("app", {}).get("login") == wanted["accounts"].get("app", {}).get("login")
        assert set(service["accounts"]) <= {"app"}
        assert not service["tls"]["enabled"]
    assert found.services["postgresql"]["database"] == resolved["services"]["postgresql"]["database"]
    assert found.passwords == {name: PASSWORDS[name] for name in ("postgresql", "neo4j", "redis")}


def test_without_passwords_services_are_known_all_the_same() -> None:
    """`./ready env` without --secrets."""
    found = services_in_settings(settings(stack(SERVICES), None))
    assert list(found.services) == SERVICES
    assert found.passwords == {}


def test_single_variables_do_without_urls() -> None:
    """What libpq and others read."""
    values = settings(stack(SERVICES), PASSWORDS)
    found = services_in_settings({key: value for key, value in values.items() if not key.endswith("_URL")})
    assert list(found.services) == SERVICES
    assert found.passwords["postgresql"] == PASSWORDS["postgresql"]
    assert found.passwords["redis"] == PASSWORDS["redis"]
    assert found.services["redis"]["ports"][0]["host"] == 16379


def test_passwords_in_urls_are_decoded() -> None:
    """A URL has % codes where a character would end a part of it."""
    found = services_in_settings({"DATABASE_URL": "postgresql://us%40er:p%2Fw%3A@db.example/data"})
    assert found.passwords == {"postgresql": {"app": "p/w:"}}
    assert found.services["postgresql"]["accounts"] == {"app": {"login": "us@er"}}
    assert found.services["postgresql"]["ports"][0] | {"protocol": ""} == {
        "name": "postgresql",
        "bind": "db.example",
        "host": 5432,
        "protocol": "",
    }


def test_encryption_is_taken_from_the_urls(tmp_path: Path) -> None:
    """Each in the words of its own driver, with the CA's certificate; ChromaDB over https is the gateway."""
    ca = tmp_path / "ca.crt"
    ca.write_text("-----BEGIN CERTIFICATE-----\n")
    found = services_in_settings(
        {
            "DATABASE_URL": f"postgresql://a:b@h:1/d?sslmode=verify-full&sslrootcert={ca}",
            "NEO4J_URI": "bolt+s://h:2",
            "NEO4J_USERNAME": "a",
            "NEO4J_PASSWORD": "b",
            "NEO4J_CA_FILE": str(ca),
            "CHROMA_URL": "https://h:3",
            "CHROMA_TOKEN": "t",
            "CHROMA_CA_FILE": str(ca),
            "REDIS_URL": f"rediss://a:b@h:4/0?ssl_ca_certs={ca}",
        }
    )
    assert list(found.services) == ["postgresql", "neo4j", "gateway", "redis"]
    assert all(service["tls"]["enabled"] for service in found.services.values())
    assert set(found.authorities.values()) == {ca.read_text()}
    assert set(found.authorities) == set(found.services)
    assert found.passwords["gateway"] == {"app": "t"}


def test_what_is_not_named_is_not_there() -> None:
    """Other variables of a process do not matter, and empty ones are none."""
    assert services_in_settings({"PATH": "/bin", "REDIS_URL": "", "PGUSER": "x"}).services == {}


@pytest.mark.parametrize(
    ("values", "variable"),
    [
        ({"DATABASE_URL": "mysql://a:s3cret@h/d"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://a:s3cret@h:port/d"}, "DATABASE_URL"),
        ({"DATABASE_URL": "postgresql://a:s3cret@[h/d"}, "DATABASE_URL"),
        ({"REDIS_URL": "redis://"}, "REDIS_URL"),
        ({"NEO4J_URI": "127.0.0.1:7687"}, "NEO4J_URI"),
        ({"PGHOST": "h", "PGPORT": "s3cret"}, "PGPORT"),
        ({"CHROMA_HOST": "h", "CHROMA_PORT": "70000"}, "CHROMA_PORT"),
        ({"REDIS_URL": "rediss://a:s3cret@h/0?ssl_ca_certs=/nowhere/ca"}, "ssl_ca_certs"),
    ],
)
def test_bad_settings_are_named(values: dict[str, str], variable: str) -> None:
    """By their variable; the value may hold a password."""
    with pytest.raises(SettingsError, match=variable) as caught:
        services_in_settings(values)
    assert "s3cret" not in str(caught.value)


def test_missing_file_is_named(tmp_path: Path) -> None:
    """With what makes it."""
    with pytest.raises(SettingsError, match="ready env --secrets"):
        read_env_file(tmp_path / ".env")


def test_every_service_can_be_named() -> None:
    """A service without settings could not be asked by an application."""
    assert set(NAMED_BY) | {"gateway"} == set(load_definitions())
