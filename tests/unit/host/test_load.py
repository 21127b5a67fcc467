"""What /proc says of the host, on recorded text."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ready.host.load import Reading, busyness, host_figures, parse_memory, parse_pressure, parse_stat, usage_shares
from ready.latency.busy_host import busier

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
    found = usage_shares(before, after)
    assert (found["steal_percent"], found["cpu_percent"], found["psi"]) == (10.0, 50.0, None)


def test_pressure_is_a_share_of_the_time() -> None:
    """Half a second of waiting in two seconds."""
    ticks = parse_stat(STAT.format(steal=0))
    before = Reading(10.0, ticks, {"cpu": 0, "memory": 0, "io": 0})
    after = Reading(12.0, ticks, {"cpu": 500_000, "memory": 0, "io": 0})
    assert usage_shares(before, after)["psi"] == {
        "cpu_some_percent": 25.0,
        "memory_some_percent": 0.0,
        "io_some_percent": 0.0,
    }


#: Seconds of a run, and ticks of a second.
SECONDS, HERTZ = 3, os.sysconf("SC_CLK_TCK")


def busy(cores: int, service: float, others: float = 0.0, stolen: float = 0.0, prober: float = 0.1) -> Any:
    """Return how busy a host of some cores was in a run; what is used is given in cores."""
    used = min(cores - stolen, service + others + prober)
    ticks = {"user": used, "steal": stolen, "iowait": 0.0, "idle": cores - used - stolen}
    after = {key: round(HERTZ * SECONDS * value) for key, value in ticks.items()}
    before = dict.fromkeys(after, 0)
    return busyness(
        Reading(0, before, None, own=7.0), Reading(SECONDS, after, None, own=7.0 + SECONDS * prober), SECONDS * service
    )


CORES = [1, 2, 4, 8, 64]


@pytest.mark.parametrize("cores", CORES)
@pytest.mark.parametrize("others", [0.0, 0.05])
def test_a_service_that_computes_longer_makes_no_busier_host(cores: int, others: float) -> None:
    """Of a tenth of a core it comes to a whole one, or to all of them."""
    quiet = busy(cores, 0.1, others)
    assert busier(busy(cores, 1.0 - others - 0.1, others), quiet) == ""
    assert busier(busy(cores, cores - others - 0.1, others), quiet) == ""


@pytest.mark.parametrize("cores", CORES)
def test_a_neighbour_does(cores: int) -> None:
    """One that computes on a core, of few; among 64 it takes more than one to be in the way."""
    quiet, neighbours = busy(cores, 0.1), max(1, cores // 8)
    its = busy(cores, 0.1 if cores > 1 else 0.01, neighbours if cores > 1 else 0.8)
    assert busier(its, quiet).startswith("processors used by others ")
    assert bool(busier(busy(cores, 0.1, 0.8), quiet)) == (cores < 8)


@pytest.mark.parametrize("cores", CORES)
def test_stolen_time_is_a_share_of_what_was_asked_for(cores: int) -> None:
    """The share is the same whatever the number of processors, and does not grow with what the service uses."""
    quiet = busy(cores, 0.1)
    assert busier(busy(cores, 0.1, stolen=0.1), quiet).startswith("processors asked for and stolen by the hypervisor ")
    # 2 % of what is asked for goes to others, at the baseline and now that the service asks for more.
    assert busier(busy(cores, 0.8, stolen=0.018), busy(cores, 0.1, stolen=0.004)) == ""


def test_what_docker_does_not_say_is_unknown() -> None:
    """It says nothing of others; samples may say that the container used more than there was."""
    reading = Reading(0.0, {"user": 0, "idle": 0, "iowait": 0, "steal": 0}, None)
    after = Reading(3.0, {"user": HERTZ, "idle": 5 * HERTZ, "iowait": 0, "steal": 0}, None)
    assert busyness(reading, after, None) == {"others_percent": None, "stolen_percent": 0.0}
    assert busyness(reading, after, 1.2)["others_percent"] == 0.0
    assert busier({"others_percent": None, "stolen_percent": 0.0}, {"others_percent": 0.0, "stolen_percent": 0.0}) == ""


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
