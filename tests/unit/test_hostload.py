"""What /proc says of the host, on recorded text."""

from __future__ import annotations

from pathlib import Path

import pytest
from ready.hostload import Reading, host_figures, parse_memory, parse_pressure, parse_stat, shares

STAT = "cpu  37267 10 15701 193768 2334 0 412 {steal} 0 0\ncpu0 1 2 3 4 5 6 7 8 0 0\n"
PRESSURE = "some avg10=1.41 avg60=1.07 avg300=2.68 total=41700430\nfull avg10=0.00 avg60=0.00 avg300=0.00 total=0\n"
MEMORY = "MemTotal:       24636412 kB\nMemFree:         9001092 kB\nMemAvailable:   18477309 kB\n"


def test_parsed() -> None:
    """Fields of real files."""
    assert parse_stat(STAT.format(steal=61))["steal"] == 61
    assert parse_pressure(PRESSURE) == 41700430
    assert parse_memory(MEMORY) == 25.0


def test_steal_is_a_share_of_all_time() -> None:
    """Of all ticks of all processors between two readings."""
    before = Reading(0.0, parse_stat(STAT.format(steal=0)), None)
    after = Reading(1.0, {**before.ticks, "steal": 20, "user": 37267 + 80, "idle": 193768 + 100}, None)
    found = shares(before, after)
    assert (found["steal_percent"], found["cpu_percent"], found["psi"]) == (10.0, 50.0, None)


def test_pressure_is_a_share_of_the_time() -> None:
    """Half a second of waiting in two seconds."""
    ticks = parse_stat(STAT.format(steal=0))
    before = Reading(10.0, ticks, {"cpu": 0, "memory": 0, "io": 0})
    after = Reading(12.0, ticks, {"cpu": 500_000, "memory": 0, "io": 0})
    assert shares(before, after)["psi"] == {
        "cpu_some_percent": 25.0,
        "memory_some_percent": 0.0,
        "io_some_percent": 0.0,
    }


@pytest.mark.parametrize("pressure", [True, False])
def test_a_kernel_without_psi(tmp_path: Path, pressure: bool) -> None:
    """Then it is null, not zero."""
    (tmp_path / "stat").write_text(STAT.format(steal=0))
    (tmp_path / "meminfo").write_text(MEMORY)
    if pressure:
        (tmp_path / "pressure").mkdir()
        for name in ("cpu", "memory", "io"):
            (tmp_path / "pressure" / name).write_text(PRESSURE)
    reading = Reading.take(tmp_path)
    found = host_figures(reading, Reading.take(tmp_path), "/nowhere", tmp_path)
    assert (found["psi"] is not None) == pressure
    assert found["memory_percent"] == 25.0
    assert 0 < found["disk_percent"] <= 100
