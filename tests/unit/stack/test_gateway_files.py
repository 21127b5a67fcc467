"""What a gateway's HAProxy is given: whose keys, for how long, how many requests, and in which words it refuses."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ready.stack.gateway_files import context, limits_of, maps, overlap_ends, overlaps
from ready.stack.render import render_files

from tests.unit.conftest import resolved_stack

NEW = {"app": "new-app", "monitor": "new-monitor", "throttle": "new-throttle", "server": "new-server"}
OLD = {name: value.replace("new", "old") for name, value in NEW.items()}


@pytest.fixture
def gateway() -> dict[str, Any]:
    """Return ChromaDB's gateway."""
    found: dict[str, Any] = resolved_stack(ready_services=["chromadb", "gateway"])["services"]["gateway"]
    return found


@pytest.fixture
def sidecar(gateway: dict[str, Any]) -> dict[str, Any]:
    """Return one that publishes another service's port, as a sidecar does."""
    return gateway | {
        "name": "ai_gateway",
        "of": "ai",
        "role": "gateway",
        "fronts": {
            "service": "ai",
            "health": {"port": 8080, "path": "/health"},
            "routes": [
                {"path": "/v1/models", "port": 8080, "answer_seconds": 10},
                {"path": "/v1/chat/", "port": 8081},
                {"path": "/v1/completions", "port": 8081},
            ],
            "form": "openai",
        },
        "rate": {"requests": 100, "seconds": 10},
        "gateway": {"connections": 256, "body_bytes": 4194304, "at_once": 64, "answer_seconds": 120},
    }


def read(text: str) -> dict[str, str]:
    """Return a map as HAProxy reads it."""
    return dict(line.split(" ", 1) for line in text.splitlines())


def test_whose_key_and_until_when(sidecar: dict[str, Any]) -> None:
    """Those of now for ever, those before the last rotation for a while, the gateway's own nobody's."""
    found = maps(sidecar, NEW, OLD, dict.fromkeys(OLD, 1000))
    keys, until = read(found["keys.map"]), read(found["until.map"])
    assert keys == {value: name for its in (NEW, OLD) for name, value in its.items() if name != "server"}
    assert {until[value] for name, value in NEW.items() if name != "server"} == {"0"}
    assert {until[value] for name, value in OLD.items() if name != "server"} == {str(1000 + 600)}
    assert read(found["upstream.map"]) == {"server": "new-server"}


@pytest.mark.parametrize(
    ("rotated", "overlap", "why"),
    [({}, 600, "nobody knows when it was replaced"), ({"app": 1000}, 0, "the inventory wants none")],
)
def test_key_of_before_is_not_valid(gateway: dict[str, Any], rotated: dict[str, int], overlap: int, why: str) -> None:
    """Without a time, or without an overlap."""
    gateway["key_overlap"] = overlap
    found = maps(gateway, {"app": "new"}, {"app": "old"}, rotated)
    assert read(found["keys.map"]) == {"new": "app"}, why


def test_a_key_given_again_stays_for_ever(gateway: dict[str, Any]) -> None:
    """Whoever puts the previous one back by hand gets no end of it."""
    found = maps(gateway, {"app": "same"}, {"app": "same"}, {"app": 1000})
    assert read(found["until.map"]) == {"same": "0"}


def test_an_account_that_has_gone(gateway: dict[str, Any]) -> None:
    """Its previous key opens nothing."""
    assert read(maps(gateway, {}, {"app": "old"}, {"app": 1000})["keys.map"]) == {}


def test_limits(gateway: dict[str, Any], sidecar: dict[str, Any]) -> None:
    """Of ChromaDB's gateway by its settings, as before; of another by rate and gateway. One account has few."""
    its = limits_of(gateway)
    assert (its.requests, its.seconds, its.connections, its.body_bytes, its.at_once) == (500, 1, 256, 41943040, None)
    its = limits_of(sidecar)
    assert (its.requests, its.seconds, its.body_bytes, its.at_once) == (100, 10, 4194304, 64)
    assert read(maps(sidecar, NEW, {}, {})["limits.map"]) == {"app": "100", "monitor": "100", "throttle": "3"}


def test_routes(sidecar: dict[str, Any]) -> None:
    """Paths of one port wait for each other; a worker of before outlives the longest answer."""
    found = context(sidecar)
    models, chat = found["backends"]
    assert (models["name"], models["answer_seconds"]) == ("ai_8080", 10)
    assert (chat["name"], chat["answer_seconds"]) == ("ai_8081", 120)
    assert [(its["match"], its["path"]) for its in chat["paths"]] == [
        ("path_beg", "/v1/chat/"),
        ("path", "/v1/completions"),
    ]
    assert (found["longest"], found["stop_after"]) == (120, 180)


@pytest.mark.parametrize(("cpus", "threads"), [(0.5, 1), (1.0, 1), (2.0, 2)])
def test_threads(gateway: dict[str, Any], cpus: float, threads: int) -> None:
    """As many as it has cores, not as many as the host: each counts as a process."""
    gateway["limits"]["cpus"] = cpus
    assert context(gateway)["threads"] == threads


def test_form(gateway: dict[str, Any], sidecar: dict[str, Any]) -> None:
    """Plain text, or the error of the OpenAI API, which is JSON."""
    assert context(gateway)["refusals"]["no_key"].startswith("status 401 content-type text/plain string")
    answers = context(sidecar)
    for words in (*answers["refusals"].values(), *answers["own"]):
        body = words.split(" string ", 1)[1]
        assert body[0] == body[-1] == "'"
        assert set(json.loads(body[1:-1])["error"]) == {"message", "type", "param", "code"}


def test_who_takes_old_keys(whole_stack: dict[str, Any]) -> None:
    """Those that a gateway is before, until an overlap after the last of them was replaced."""
    rotated = {"redis": {"app": 0}, "gateway": {"app": 1796000000, "monitor": 1796000100}}
    ends = overlap_ends(whole_stack, rotated)
    assert ends == {"gateway": 1796000700}
    assert overlaps(ends, ["redis", "gateway"]) == "; gateway takes the old keys until 2026-11-30 01:05:00 UTC"
    assert overlaps(ends, ["redis"]) == ""
    whole_stack["services"]["gateway"]["key_overlap"] = 0
    assert overlap_ends(whole_stack, rotated) == {}


def test_files(gateway: dict[str, Any], sidecar: dict[str, Any]) -> None:
    """No key stands in HAProxy's configuration; a sidecar has its service's keys as a service has its own."""
    secrets = {"secrets/app", "secrets/app.previous"}
    for service in (gateway, sidecar):
        files = render_files(service, {"app": "new-app"}, {"app": "old-app"}, rotated={"app": 1000})
        found = {file.path: file.content.decode() for file in files}
        assert {path for path in found if path.startswith("secrets/")} == secrets
        assert {path for path, text in found.items() if "-app" in text} == {*secrets, "keys.map", "until.map"}
        assert {file.mode for file in files} == {0o400}
