"""Measuring a stack when something is wrong: what it says must not depend on how busy the machine is."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import docker
import pytest
from ready.checks.probe import LEFTOVER_SECONDS
from ready.common.clock import timestamp
from ready.docker.readback import read_running
from ready.evidence import document as evidence
from ready.host import network_namespace
from ready.latency import prober
from ready.latency.overhead import judge_network
from ready.latency.paths import container_probe, measure_paths
from ready.latency.runner import measure_stack
from ready.latency.verdicts import judge_latency
from ready.latency.workload import SIZE
from ready.latency.workloads import WORKLOADS
from ready.services.chromadb.workload import ChromaDBWorkload
from ready.services.neo4j.workload import INDEX, Neo4jWorkload
from ready.services.redis.workload import NEED

from tests.names import own
from tests.system.conftest import ROOT, Ready, own_stack, pause
from tests.system.measure import built, judge, probes
from tests.system.test_check import everything

NAME = own("sys-measuring")
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]


@pytest.fixture(scope="module")
def measured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack that is up, with user data in every service."""
    with own_stack(tmp_path_factory.mktemp("measuring"), NAME, SERVICES) as ready:
        ready.run("up")
        ready.stack.write()
        yield ready


def look(ready: Ready, name: str) -> dict[str, Any]:
    """Measure one service and judge it; return the evidence, which must be valid."""
    stack = ready.stack.resolved
    images = {key: its["image_id"] for key, its in read_running(docker.from_env(), stack).items()}
    part = judge_latency(stack, measure_stack(probes(ready, name), images, 1000, 120, {}, "/"), {})
    now = timestamp()
    document = evidence.make("latency", NAME, "localhost", part.verdict, part.results, now, finished_at=now)
    assert evidence.check(document) == []
    return dict(document)


def test_inside_is_another_container(measured: Ready) -> None:
    """PostgreSQL sees the one whose network a connection was made in, and this thread is outside again afterwards."""
    running = read_running(docker.from_env(), measured.stack.resolved)
    probe = container_probe(probes(measured, "postgresql")["postgresql"], running["postgresql"]["address"])
    seen = []
    for pid in (running["redis"]["pid"], None):
        with network_namespace.in_namespace_of(pid), probe.open() as connection:
            seen.append(str(connection.execute("SELECT host(inet_client_addr())").fetchone()[0]))
    assert seen[0] == running["redis"]["address"]
    assert seen[1] not in {its["address"] for its in running.values()}


def test_service_that_hangs(measured: Ready) -> None:
    """It is paused in the middle and stays so: given up soon after the timeout, and reported."""
    container = measured.stack.container("postgresql")
    with built(measured, "postgresql", timeout=5) as workload:
        timer = threading.Timer(1.0, pause, [container])
        timer.start()
        try:
            its = judge("postgresql", workload, 1_000_000)
            paused = measured.stack.container("postgresql").status
        finally:
            timer.join()
            container.unpause()
    assert paused == "paused"  # nobody waited for its answer
    assert its["verdict"] == "fail"
    assert its["reason"] == "no answer within 6 s"


def test_a_prober_that_is_late_knows_nothing(measured: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """It loses its processor each time when it is about to send."""
    punctual = prober.Clock.wait_until

    def late(clock: prober.Clock, moment: int) -> None:
        punctual(clock, moment)
        time.sleep(0.002)

    monkeypatch.setattr(prober.Clock, "wait_until", late)
    with built(measured, "redis") as workload:
        its = judge("redis", workload)
    assert its["verdict"] == "insufficient_data"
    assert its["lateness"]["min_ms"] >= 2


#: Measures Redis; says when it begins to.
STARVED = """
import json, sys
from functools import partial
from ready.checks.runner import CheckRunner
checks = CheckRunner(json.load(sys.stdin))
print(json.dumps(checks.latency(["redis"], samples=200, deadline=30, alone=partial(print, "measuring", flush=True))))
"""
#: Seconds for which the starved prober runs, and for which it is stopped then.
RUNS, STOPPED = 0.0005, 0.01


def test_a_prober_that_does_not_get_its_processor(measured: Ready) -> None:
    """It never passes the service, whether it blames that or itself.

    A thread with real-time priority stops it, so it makes a few requests at most between two stops, however fast the
    machine is and whatever else runs.
    """
    process = subprocess.Popen(
        [sys.executable, "-c", STARVED],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": "module_utils"},
    )
    stops = 0

    def starve() -> None:
        nonlocal stops
        os.sched_setscheduler(0, os.SCHED_FIFO, os.sched_param(1))  # this thread's alone
        while process.poll() is None:
            process.send_signal(signal.SIGSTOP)
            time.sleep(STOPPED)
            process.send_signal(signal.SIGCONT)
            stops += 1
            time.sleep(RUNS)

    assert process.stdin
    assert process.stdout
    process.stdin.write(json.dumps(measured.stack.resolved))
    process.stdin.close()
    assert process.stdout.readline() == "measuring\n"
    thread = threading.Thread(target=starve)
    thread.start()
    answer = process.stdout.read()
    assert process.wait() == 0
    thread.join()
    part = judge_latency({"services": {"redis": {}}}, json.loads(answer), {})
    its = part.results["services"]["redis"]["cache_hit"]
    assert stops > 100
    assert its["verdict"] in {"fail", "insufficient_data"}, its
    assert part.verdict in {"fail", "insufficient_data"}, part


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
            {"services": measure_paths(probes(measured, "redis"), {}, 50, 10)},
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


def answers(workload: Any) -> None:
    """Ask a built fixture of Neo4j's once: all of them share an index, which an older one's removal must not take."""
    if isinstance(workload, Neo4jWorkload):
        workload.open()
        assert workload.operations()[0].ask(0)
        workload.close()


def test_what_an_interrupted_run_left(measured: Ready, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run removes it once it is old; a younger one may be another run's. Redis's keys expire by themselves."""
    now: Callable[[], float] = time.time
    before = everything(measured)
    names = ("postgresql", "neo4j", "chromadb")
    one = {"schemas": 1, "nodes": SIZE, "collections": 1}
    interrupted: list[Any] = []
    try:
        for age in (LEFTOVER_SECONDS + 60, 0):  # the second one finds the first one old
            with monkeypatch.context() as past:
                past.setattr(time, "time", lambda age=age: now() - age)
                for name, probe in probes(measured, *names).items():
                    interrupted.append(WORKLOADS[name](probe))
                    interrupted[-1].build()
                    answers(interrupted[-1])
            assert left_behind(measured) == one
        for name in names:
            with built(measured, name) as workload:
                answers(workload)
        assert left_behind(measured) == one
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
