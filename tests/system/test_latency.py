"""Latency on a whole stack with user data in it: all well, then each fault with what it comes to.

Where nothing else runs the services are quick. On a busy machine a figure may be doubtful, which is no failure of the
test: what must never come is a pass of what is slow, wrong, or doubtful.
"""

from __future__ import annotations

import json
import multiprocessing
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import docker
import pytest
from ready import evidence, netns
from ready.engine import read_running, read_secrets
from ready.latency import judge_latency
from ready.measuring import Measurement, measure_stack
from ready.network import judge_network
from ready.probing import make_probes
from ready.services.base import LEFTOVER_SECONDS, Probe
from ready.ways import beside, measure_ways
from ready.workloads import WORKLOADS
from ready.workloads.base import SIZE, Workload
from ready.workloads.chromadb import ChromaDBWorkload
from ready.workloads.neo4j import INDEX, Neo4jWorkload
from ready.workloads.redis import NEED

from tests.names import own
from tests.system.conftest import Ready, own_stack
from tests.system.test_check import everything

NAME = own("sys-latency")
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]
JUDGED = {"postgresql": "simple_query", "neo4j": "traversal", "chromadb": "vector_search", "redis": "cache_hit"}


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack that is up, with user data in every service."""
    with own_stack(tmp_path_factory.mktemp("latency"), NAME, SERVICES) as ready:
        ready.run("up")
        ready.stack.write()
        yield ready


def probes(ready: Ready, *names: str) -> dict[str, Probe]:
    """Return the probes of some services."""
    stack = ready.stack.resolved
    made = make_probes(stack, read_secrets(docker.from_env(), stack), 5.0)
    return {name: made[name] for name in names}


def look(ready: Ready, name: str) -> dict[str, Any]:
    """Measure one service and judge it; return the evidence, which must be valid."""
    stack = ready.stack.resolved
    images = {key: its["image_id"] for key, its in read_running(docker.from_env(), stack).items()}
    part = judge_latency(stack, measure_stack(probes(ready, name), images, 1000, 120, {}, "/"), {})
    now = evidence.timestamp()
    document = evidence.make("latency", NAME, "localhost", part.verdict, part.results, now, finished_at=now)
    assert evidence.check(document) == []
    return dict(document)


def operation(document: dict[str, Any], name: str) -> dict[str, Any]:
    """Return the judged operation of a service."""
    found: dict[str, Any] = document["results"]["services"][name][JUDGED[name]]
    return found


@contextmanager
def built(ready: Ready, name: str) -> Iterator[Any]:
    """Give a workload whose fixture is built, and remove that again."""
    workload: Workload = WORKLOADS[name](probes(ready, name)[name])
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
        "at": evidence.timestamp(),
        "samples": samples,
        "seconds": 0.0,
        "services": {name: {**measurement.service(name, workload), "image_id": None, "size": "", "left": ""}},
        "host": {},
    }
    part = judge_latency({"services": {name: {}}}, answer, earlier)
    return {**part.results["services"][name].get(JUDGED[name], {}), "evidence": part.verdict}


def test_all_is_measured_and_nothing_is_left(measured: Ready) -> None:
    """Through the verb: valid evidence, and the data are what they were."""
    before, identities = everything(measured), measured.stack.identities()
    assert measured.run("check", "--only", "latency,network").changed == 0
    left = measured.directory / "evidence" / NAME / "localhost"
    latency, network = (json.loads((left / f"{name}.json").read_text()) for name in ("latency", "network"))
    assert evidence.check(latency) == evidence.check(network) == []
    for name in SERVICES:
        its = operation(latency, name)
        assert (its["n"], its["errors"], its["verdict"] != "fail") == (1000, 0, True), its["reason"]
        assert its["verdict"] == "insufficient_data" or its["p95_ms"] <= its["objective_ms"]
        assert its["min_ms"] <= its["p50_ms"] <= its["p95_ms"] <= its["p99_ms"] <= its["max_ms"]
        assert its["lateness"]["n"] >= 80
        assert its["connection"]["p50_ms"] > its["p50_ms"]
        path = network["results"]["paths"][name]
        assert (path["verdict"], path["container"]["address"].split(".")[0] != "127") == ("pass", True)
        assert (path["inside"]["verdict"], path["inside"]["address"]) == ("pass", path["container"]["address"])
    assert latency["results"]["errors"] == {}
    assert network["verdict"] == "not_applicable"
    assert everything(measured) == before
    with measured.stack.postgresql("admin") as connection:
        row = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'ready_probe%'").fetchone()
        assert row == (0,)
    with measured.stack.neo4j() as driver:
        assert driver.execute_query("SHOW INDEXES YIELD name WHERE name = $name", name=INDEX).records == []
    assert measured.stack.identities() == identities
    measured.stack.check()


def test_inside_is_another_container(measured: Ready) -> None:
    """PostgreSQL sees the one whose network a connection was made in, and this thread is outside again afterwards."""
    running = read_running(docker.from_env(), measured.stack.resolved)
    probe = beside(probes(measured, "postgresql")["postgresql"], running["postgresql"]["address"])
    seen = []
    for pid in (running["redis"]["pid"], None):
        with netns.of_process(pid), probe.open() as connection:
            seen.append(str(connection.execute("SELECT host(inet_client_addr())").fetchone()[0]))
    assert seen[0] == running["redis"]["address"]
    assert seen[1] not in {its["address"] for its in running.values()}


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


def test_slow_service(measured: Ready) -> None:
    """Every request meets a standstill: it fails, and the prober is not blamed where it was punctual."""
    with built(measured, "redis") as workload, pulses(measured, "redis", 0.0001, 0.02):
        its = judge("redis", workload)
    assert its["p95_ms"] > 10
    assert its["verdict"] == ("insufficient_data" if its["lateness"]["p95_ms"] > 0.5 else "fail"), its["reason"]
    assert its["response"]["errors"] > 0  # 500 a second can't be sent one after another
    assert len(its["runs"]) >= 2
    assert its["baseline"] is None


def test_service_that_stalls(measured: Ready) -> None:
    """It stands still for a moment now and then: what its median hides, response time and baseline show."""
    with built(measured, "redis") as workload:
        good = judge("redis", workload)
        base_line = {"p99_ms": 0.5, "at": evidence.timestamp(), "image_id": None, "samples": 1000}
        previous = {"results": {"services": {"redis": {"cache_hit": {"baseline": base_line}}}}}
        with pulses(measured, "redis", 0.008, 0.04):
            its = judge("redis", workload, previous=previous)
    assert its["p50_ms"] < 10
    assert its["p99_ms"] > 20
    assert its["response"]["p50_ms"] > 5 * good["response"]["p50_ms"]
    assert its["regression"]["verdict"] == ("insufficient_data" if its["verdict"] == "insufficient_data" else "fail")
    assert its["regression"]["factor"] > 10
    assert its["evidence"] == its["regression"]["verdict"]
    assert len(its["runs"]) >= 2


def test_service_that_hangs(measured: Ready) -> None:
    """It is paused in the middle and stays so: given up soon after the timeout, and told."""
    container = measured.stack.container("postgresql")
    with built(measured, "postgresql") as workload:
        timer = threading.Timer(1.0, container.pause)
        timer.start()
        started = time.monotonic()
        try:
            its = judge("postgresql", workload, 1_000_000)
        finally:
            timer.join()
            container.unpause()
        assert time.monotonic() - started < 15
    assert its["verdict"] == "fail"
    assert its["reason"] == "no answer within 6 s"


def busy(until: float) -> None:
    """Keep a core busy."""
    while time.time() < until:
        pass


def test_loaded_cores(measured: Ready) -> None:
    """A prober that does not get its processor knows nothing, and a slow service fails; neither passes."""
    until = time.time() + 60
    loops = [multiprocessing.Process(target=busy, args=(until,)) for _ in range(4 * (os.cpu_count() or 1))]
    for loop in loops:
        loop.start()
    try:
        with built(measured, "redis") as workload:
            its = judge("redis", workload)
    finally:
        for loop in loops:
            loop.terminate()
            loop.join()
    assert its["verdict"] in {"fail", "insufficient_data"}


def test_index_dropped(measured: Ready) -> None:
    """The answers are right all the same, and within the objective on a quiet host; so the plan is looked at."""
    with built(measured, "neo4j") as workload:
        with measured.stack.neo4j() as driver:
            driver.execute_query(f"DROP INDEX {INDEX}")
        its = judge("neo4j", workload)
    assert its["verdict"] == "fail"
    assert its["reason"] == "the plan of traversal: found no seek in the index ready_probe, expected one"


def test_wrong_vectors(measured: Ready) -> None:
    """Quick answers, and wrong ones: each is a miss."""
    with built(measured, "chromadb") as workload:
        assert isinstance(workload, ChromaDBWorkload)
        workload.open()
        search = workload.operations()[0]
        nearest = sorted({search.ask(number)["ids"][0][0] for number in range(200)})
        collection = measured.stack.chromadb().get_collection(workload.name, embedding_function=None)
        collection.update(ids=nearest, embeddings=[[-1.0] + [0.0] * 383] * len(nearest))
        its = judge("chromadb", workload)
    assert its["verdict"] == "fail"
    assert "the nearest neighbour: found" in its["reason"]
    assert its["p95_ms"] is None


def test_a_service_that_is_down(measured: Ready) -> None:
    """It fails; its way as well."""
    container = measured.stack.container("redis")
    container.stop()
    try:
        document = look(measured, "redis")
        ways = judge_network(
            {"services": {"redis": {}}},
            {"services": measure_ways(probes(measured, "redis"), {}, 50, 10)},
        )
    finally:
        container.start()
        measured.stack.await_docker_health()
    assert document["verdict"] == "fail"
    assert "could not be built" in document["results"]["errors"]["redis"]
    assert (ways.verdict, ways.results["paths"]["redis"]["verdict"]) == ("fail", "fail")


def left_behind(ready: Ready) -> dict[str, int]:
    """Count what is there of any fixture."""
    with ready.stack.postgresql() as connection:
        row = connection.execute("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'ready_probe%'").fetchone()
    with ready.stack.neo4j() as driver:
        (nodes,) = driver.execute_query("MATCH (n:ReadyProbe) RETURN count(n) AS n").records
    collections = [item.name for item in ready.stack.chromadb().list_collections() if "ready-probe" in item.name]
    return {"schemas": row[0] if row else 0, "nodes": nodes["n"], "collections": len(collections)}


@pytest.mark.parametrize(("age", "stays"), [(0, True), (LEFTOVER_SECONDS + 60, False)])
def test_what_an_interrupted_run_left(
    measured: Ready, monkeypatch: pytest.MonkeyPatch, age: float, stays: bool
) -> None:
    """The next run removes it once it is old; a younger one may be another run's. Redis's keys expire by themselves."""
    now: Callable[[], float] = time.time
    before = everything(measured)
    names = ("postgresql", "neo4j", "chromadb")
    with monkeypatch.context() as past:
        past.setattr(time, "time", lambda: now() - age)
        interrupted = [WORKLOADS[name](probe) for name, probe in probes(measured, *names).items()]
        for workload in interrupted:
            workload.build()
    try:
        assert left_behind(measured) == {"schemas": 1, "nodes": SIZE, "collections": 1}
        for name in names:
            with built(measured, name) as workload:
                if isinstance(workload, Neo4jWorkload):
                    workload.open()
                    assert workload.operations()[0].ask(0)
                    workload.close()
        expected = (
            {"schemas": 1, "nodes": SIZE, "collections": 1}
            if stays
            else dict.fromkeys(("schemas", "nodes", "collections"), 0)
        )
        assert left_behind(measured) == expected
    finally:
        for workload in interrupted:
            workload.remove()
    with built(measured, "redis") as workload:
        ttl = [measured.stack.redis().ttl(f"{workload.name}:{number}") for number in (0, SIZE - 1)]
        assert all(0 < int(seconds) <= LEFTOVER_SECONDS for seconds in ttl)
    assert everything(measured) == before


def test_no_key_is_evicted_for_the_fixture(measured: Ready) -> None:
    """Where Redis has no room for what is measured nothing is written; and what is measured takes no more than that."""
    admin = measured.stack.redis("admin")
    before = int(admin.info("memory")["used_memory"])
    with built(measured, "redis"):
        assert int(admin.info("memory")["used_memory"]) - before < NEED
    limits = {name: str(admin.config_get(name)[name]) for name in ("maxmemory", "maxmemory-policy")}
    try:
        admin.config_resetstat()
        admin.config_set("maxmemory-policy", "allkeys-random")
        admin.config_set("maxmemory", str(int(admin.info("memory")["used_memory"]) + NEED // 2))
        document = look(measured, "redis")
        assert admin.info("stats")["evicted_keys"] == 0
    finally:
        for name, value in limits.items():
            admin.config_set(name, value)
    assert document["verdict"] == "insufficient_data"
    assert "none were written" in document["results"]["errors"]["redis"]
    measured.stack.check()
