"""Measuring the services of a stack under test, one workload at a time."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import docker
from ready.checks.make_probes import docker_probes
from ready.checks.probe import Probe
from ready.common.clock import timestamp
from ready.latency.runner import Measurement
from ready.latency.verdicts import judge_latency
from ready.latency.workload import Workload
from ready.latency.workloads import WORKLOADS

from tests.system.conftest import Ready

JUDGED = {"postgresql": "simple_query", "neo4j": "traversal", "chromadb": "vector_search", "redis": "cache_hit"}
#: Seconds for a single request, where the test is not about that: other tests may keep the machine busy.
PATIENT = 60.0


def probes(ready: Ready, *names: str, timeout: float = PATIENT) -> dict[str, Probe]:
    """Return the probes of some services."""
    made = docker_probes(docker.from_env(), ready.stack.resolved, timeout)
    return {name: made[name] for name in names}


@contextmanager
def built(ready: Ready, name: str, timeout: float = PATIENT) -> Iterator[Any]:
    """Give a workload whose fixture is built, and remove that again."""
    workload: Workload = WORKLOADS[name](probes(ready, name, timeout=timeout)[name])
    try:
        workload.build()
        yield workload
    finally:
        workload.remove()


def judge(name: str, workload: Workload, samples: int = 1000, previous: dict[str, Any] | None = None) -> dict[str, Any]:
    """Measure a workload as it stands; return what its judged operation shows, and the verdict of the `evidence`."""
    earlier = previous or {}
    measurement = Measurement(samples, time.monotonic() + 120, earlier.get("results", {}), {})
    answer = {
        "at": timestamp(),
        "samples": samples,
        "seconds": 0.0,
        "services": {name: {**measurement.service(name, workload), "image_id": None, "size": "", "left": ""}},
        "host": {},
    }
    part = judge_latency({"services": {name: {}}}, answer, earlier)
    return {**part.results["services"][name].get(JUDGED[name], {}), "evidence": part.verdict}


def stop_and_go(processes: list[int], go: float, stop: float) -> None:
    """Stop processes again and again."""
    while True:
        for process in processes:
            os.kill(process, signal.SIGSTOP)
        time.sleep(stop)
        for process in processes:
            os.kill(process, signal.SIGCONT)
        time.sleep(go)


@contextmanager
def pulses(ready: Ready, name: str, go: float, stop: float) -> Iterator[None]:
    """Have a service run for `go` seconds only, then stand still for `stop`, in turns."""
    processes = [int(row[0]) for row in ready.stack.container(name).top(ps_args="-eo pid")["Processes"]]
    pulse = multiprocessing.Process(target=stop_and_go, args=(processes, go, stop))
    pulse.start()
    try:
        yield
    finally:
        pulse.terminate()
        pulse.join()
        for process in processes:
            os.kill(process, signal.SIGCONT)
