"""Who may import whom: what runs on hosts, what is pure, and that a planted fault is seen."""

from __future__ import annotations

import pytest

from tools import layers


def test_nothing_is_wrong() -> None:
    """The lint stage says the same, and checks the layers themselves by import-linter."""
    assert [*layers.faults_of_hosts(), *layers.faults_of_pure(), *layers.unused()] == []


def test_sides() -> None:
    """Modules, plugins, programs and the registry say where a module runs."""
    assert layers.where("ready.docker.state") == "both"  # a plugin names its exceptions
    assert layers.where("ready.services.redis.probe") == "host"
    assert layers.where("ready.stack.definitions") == "controller"
    assert layers.where("ready.connector") == "host"


def test_the_controllers_libraries_are_seen_on_hosts(monkeypatch: pytest.MonkeyPatch) -> None:
    """Through whatever chain: Ansible sends a module all that it imports."""
    monkeypatch.setattr(layers, "on_hosts", lambda: frozenset(layers.closure({"ready.stack.sidecars"})))
    assert [line.partition(":")[0] for line in layers.faults_of_hosts()] == [
        "ready.stack.definitions runs on hosts"
    ] * 2
    monkeypatch.setattr(layers, "host_libraries", lambda: frozenset[str]())
    monkeypatch.setattr(layers, "on_hosts", lambda: frozenset({"ready.docker.state"}))
    assert "found an import of docker" in layers.faults_of_hosts()[0]


def test_effects_of_what_calls_itself_pure_are_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """By the chain of imports that leads to them."""
    pure = layers.docstring

    def docstring(module: str) -> str:
        return "Pure functions." if module == "ready.checks.make_probes" else pure(module)

    monkeypatch.setattr(layers, "docstring", docstring)
    faults = layers.faults_of_pure()
    assert faults
    assert all(line.startswith("ready.checks.make_probes is pure: found ready.checks.make_probes") for line in faults)


def test_what_nothing_uses_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A module without an importer is dead."""
    monkeypatch.setattr(layers, "on_controller", lambda: frozenset[str]())
    assert "ready.cli.launcher: nothing imports it. Next: remove it" in layers.unused()


def test_the_flat_room_is_small() -> None:
    """What is in no package is what others import by that name: the rest has a subject."""
    assert layers.packages()[""] == ["ready.connector", "ready.probe", "ready.registry"]
    assert set(layers.order()) == set(layers.packages())
