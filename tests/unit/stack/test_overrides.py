"""What the inventory says of a service fits its role's spec and the definition's schema, or is refused."""

from __future__ import annotations

import ast
import json
import re
from typing import Any

import pytest
from ready.stack import overrides
from ready.stack.definitions import DefinitionError, load_definitions, resolve_stack

from tests.unit.conftest import ROOT, VARIABLES

DEFINITIONS = load_definitions()


def check(**variables: Any) -> tuple[dict[str, Any], list[str]]:
    """Return what fits, and all messages."""
    fitting, faults = overrides.check(DEFINITIONS, variables, list(DEFINITIONS))
    return fitting, [message for found in faults.values() for message in found]


@pytest.mark.parametrize(
    ("variable", "value", "message"),
    [
        ("postgresql_stop_timeout", "long", 'postgresql_stop_timeout: found "long", expected int'),
        ("postgresql_stop_timeout", 0, "postgresql_stop_timeout: found 0, expected minimum 1"),
        ("redis_tmpfs", {"/tmp": "mode=1777"}, 'redis_tmpfs./tmp: found "mode=1777", expected text such as size=64m'),
        ("postgresql_image", ["a"], "postgresql_image: found a list, expected str"),
        ("postgresql_tag", {"a": 1}, "postgresql_tag: found a mapping of a, expected str"),
        ("postgresql_health", {"interval": "x"}, "postgresql_health.interval: found text, expected integer"),
        ("postgresql_objectives", {"latency_p95_ms": "fast"}, "postgresql_objectives.latency_p95_ms: found text"),
        ("postgresql_reconcile", "sh -c x", "postgresql_reconcile: found"),
        ("postgresql_objectives", {"latency_p95_ms": "nan"}, "postgresql_objectives.latency_p95_ms: found text"),
        ("postgresql_env", {"A": [1]}, "postgresql_env.A: found a list, expected string"),
        ("postgresql_env", {"A": None}, "postgresql_env.A: found nothing, expected string"),
        ("redis_env", "P=hunter2", "redis_env: found text, expected dict"),
        ("redis_env", {"P": {"a": "hunter2"}}, "redis_env.P: found a mapping, expected string"),
        ("redis_settings", ["requirepass hunter2"], "redis_settings: found a list, expected dict"),
        ("postgresql_accounts", "app: hunter2", "postgresql_accounts: found text, expected dict"),
        ("redis_bind_address", {"hunter-2-0": "hunter2"}, "redis_bind_address: found a mapping of "),
        ("redis_pids", "many", 'redis_pids: found "many", expected int'),
        ("ai_rate", {"seconds": 0}, "ai_rate.seconds: found 0, expected minimum 1"),
        ("ai_rate", {"requests": "x"}, "ai_rate.requests: found text, expected integer"),
        ("ai_rate", {"secnds": 5}, "ai_rate: found the unknown key secnds (did you mean seconds?), expected only"),
        ("ai_gateway", {"connections": 0}, "ai_gateway.connections: found 0, expected minimum 1"),
        ("ai_settings", {"threads": 0}, "ai_settings.threads: found 0, expected minimum 1"),
        ("ai_settings", {"parallel": 65}, "ai_settings.parallel: found 65, expected maximum 64"),
        ("ai_settings", {"context_tokens": "many"}, "ai_settings.context_tokens: found text, expected integer"),
        ("ai_settings", {"thread": 2}, "ai_settings: found the unknown key thread (did you mean threads?), expected"),
        ("gateway_settings", {"connections": 0}, "gateway_settings.connections: found 0, expected minimum 1"),
        ("gateway_settings", {"timeout": 9}, "gateway_settings: found the unknown key timeout, expected only requests"),
        (
            "redis_objectives",
            {"latency": 1, "x_p95_ms": 1},
            "redis_objectives: found the unknown key latency (did you mean latency_p95_ms?), expected only",
        ),
    ],
)
def test_what_does_not_fit_is_named(variable: str, value: Any, message: str) -> None:
    """Nothing looked at these before a container was made with them."""
    _, messages = check(**{variable: value})
    assert len(messages) == 1
    assert messages[0].startswith(message)
    assert "hunter2" not in messages[0]


@pytest.mark.parametrize("value", ["x", {"logn": "x"}])
def test_accounts_are_judged_where_they_are_completed(value: Any) -> None:
    """PostgreSQL may have further ones, which the schema of a definition does not know."""
    variables = {"postgresql_accounts": {"app": value, "shop": {"login": "shop_app"}}}
    assert check(**variables) == (variables, [])
    with pytest.raises(DefinitionError, match=re.escape("postgresql_accounts.app: expected nothing but a login")):
        resolve_stack(DEFINITIONS, VARIABLES | variables)


def test_what_fits_has_its_type() -> None:
    """Variables of the command line are texts."""
    given = {"postgresql_stop_timeout": "60", "postgresql_port": "15432", "redis_settings": {"maxmemory": "1gb"}}
    fitting, messages = check(**given, redis_env=None, other_variable="x")
    assert messages == []
    assert fitting == given | {"postgresql_stop_timeout": 60, "postgresql_port": 15432}


def test_what_docker_takes_is_taken() -> None:
    """A short time to stop, and every unit of a size."""
    given: dict[str, Any] = {
        "redis_stop_timeout": 5,
        "redis_tmpfs": {"/tmp": "size=64M", "/a": "mode=1777,size=1048576"},
    }
    assert check(**given) == (given, [])


def test_texts_and_numbers_are_what_the_schema_wants() -> None:
    """YAML makes a number of 1, and the command line a text."""
    fitting, messages = check(
        redis_env={"A": 1, "B": True, "C": "x", "D": 1.5},
        postgresql_objectives={"latency_p95_ms": "10", "complex_join_p95_ms": "0.5"},
        postgresql_health={"interval": "5"},
        ai_rate={"seconds": "5"},
        ai_gateway={"connections": "9"},
        ai_settings={"parallel": "4"},
        gateway_settings={"connections": "7"},
        redis_settings={"maxmemory": "5"},
    )
    assert messages == []
    assert fitting["redis_env"] == {"A": "1", "B": "True", "C": "x", "D": "1.5"}
    assert fitting["postgresql_objectives"] == {"latency_p95_ms": 10, "complex_join_p95_ms": 0.5}
    assert fitting["postgresql_health"] == {"interval": 5}
    assert (fitting["ai_rate"], fitting["ai_gateway"]) == ({"seconds": 5}, {"connections": 9})
    assert (fitting["ai_settings"], fitting["gateway_settings"]) == ({"parallel": 4}, {"connections": 7})
    assert fitting["redis_settings"] == {"maxmemory": "5"}


def test_the_images_own_limits_are_those_of_the_schema() -> None:
    """What `up` takes the model server takes."""
    rules = json.loads((ROOT / "schemas" / "service.schema.json").read_text())["allOf"]
    shape = next(rule["then"] for rule in rules if rule["if"]["properties"]["name"]["const"] == "ai")
    most = {key: its["maximum"] for key, its in shape["properties"]["settings"]["properties"].items()}
    sources = ast.parse((ROOT / "images" / "ai" / "ready_ai" / "config.py").read_text())
    words = ast.unparse(sources)
    assert f"'threads', content['threads'], {most['threads']})" in words
    assert f"'parallel': {most['parallel']}" in words
    assert f"'context_tokens': 1 << {most['context_tokens'].bit_length() - 1}" in words


def test_services_that_are_not_asked_for_are_left_alone() -> None:
    """And unknown ones are named elsewhere."""
    assert overrides.check(DEFINITIONS, {"redis_pids": "many"}, ["postgresql", "nope"]) == ({}, {})
