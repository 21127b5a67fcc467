"""The way from Linux to programs on Windows: figures, and when there are none, why."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import pytest
from ready.common.clock import timestamp
from ready.evidence import document as evidence
from ready.windows import network_measurement, path_overhead
from ready.windows.return_path import evaluate, fault, rows

SCRIPT = Path(__file__).resolve().parents[3] / "scripts" / "linux" / "distro_latency.py"
GIVEN: dict[str, Any] = {"containers": [{"container": "ready-redis"}], "samples": 20, "timeout": 100, "back": [9000]}


@pytest.fixture
def script() -> Any:
    """The script that runs in the distro."""
    spec = importlib.util.spec_from_file_location("distro_latency", SCRIPT)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def measured(way: str, connects: list[float], error: str | None = None) -> dict[str, Any]:
    """Return what distro_latency.py says of one way."""
    return {"port": 9000, "measured_from": way, "to": "172.28.96.1", "connect_ms": connects, "error": error}


def test_nobody_asked() -> None:
    """Which is said, and keeps nothing from passing."""
    found = evaluate([])
    assert (found["verdict"], found["ways"]) == ("not_applicable", [])
    assert "ready_windows_ports" in found["reason"]
    assert fault(found, "pc1") == ""


def test_figures_and_silence() -> None:
    """One that does not answer is named; one that nobody could ask is not known, and its evidence says why."""
    found = evaluate([measured("distro", [1.0] * 20), measured("", [], "no container has Python (x)")])
    assert (found["verdict"], fault(found, "pc1")) == ("insufficient_data", "")
    assert [(row["median"], row["reason"]) for row in rows(found)] == [(1.0, ""), (None, "no container has Python (x)")]
    found = evaluate([measured("distro", [], "timed out")])
    assert "port 9000 from distro at 172.28.96.1 (timed out)" in fault(found, "pc1")
    assert "listens on more than 127.0.0.1" in fault(found, "pc1")
    results = {**path_overhead.evaluate([], []), "back": found}
    document = evidence.make("network", "ready", "pc1", "pass", results, timestamp(), "simulated")
    assert evidence.check(document) == []


@pytest.mark.parametrize(
    ("backend", "address", "to"),
    [
        ("desktop", "172.28.96.1", "host.docker.internal"),
        ("desktop", "127.0.0.1", "host.docker.internal"),
        ("engine", "172.28.96.1", "172.28.96.1"),
        ("engine", "127.0.0.1", ""),
    ],
)
def test_what_a_container_calls_windows(script: Any, backend: str, address: str, to: str) -> None:
    """A name under Docker Desktop; under an engine the distro's way, which mirrored mode has none of."""
    script.windows_address = lambda: address
    script.measure = lambda name, host, port, *_: {"name": name, "port": port, "connect_ms": [], "error": None}
    script.from_container = lambda _given, targets, names: [{**targets[0], "measured_from": names[0], "error": None}]
    distro, container = script.to_windows({**GIVEN, "backend": backend})
    assert (distro["measured_from"], distro["to"]) == ("distro", address)
    assert (container["measured_from"], container["to"]) == ("ready-redis" if to else "", to)
    assert ("mirrored mode" in (container["error"] or "")) is (to == "")


def test_argument_fits_a_command_line_of_windows(stack: dict[str, Any]) -> None:
    """Of 32,767 characters; the script is in it once more, for a container to run."""
    assert len(network_measurement.orders(stack, 50, list(range(9000, 9010)), "desktop", SCRIPT.read_bytes())) < 24_000
