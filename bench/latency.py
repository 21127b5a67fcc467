# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The figures of bench/README.md about `check` and its probes: `.venv/bin/python bench/latency.py`.

Holds the probes' service time against pgbench and redis-benchmark, which run from the services' own images on the
host's network, so that all go through the same published port. In turns, on a dedicated stack, some minutes. Nothing
else should run meanwhile: ratios are of one run, absolute times are of one machine.
"""

from __future__ import annotations

import csv
import io
import statistics
import sys
import tarfile
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path
from typing import Any

import docker

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "module_utils")]

from ready.checks.make_probes import make_probes  # noqa: E402
from ready.checks.probe import Probe, deep_health  # noqa: E402
from ready.docker.readback import read_running, read_secrets  # noqa: E402
from ready.host.load import Reading, usage_shares  # noqa: E402
from ready.latency.prober import Prober  # noqa: E402
from ready.latency.runner import measure_stack  # noqa: E402
from ready.latency.workload import Workload  # noqa: E402
from ready.latency.workloads import WORKLOADS  # noqa: E402

from tests.system.conftest import Ready, own_stack  # noqa: E402

NAME = "bench-latency"
SERVICES = ["postgresql", "neo4j", "chromadb", "redis"]
ROUNDS, REQUESTS = 5, 2000


def from_image(ready: Ready, service: str, script: str, files: dict[str, str]) -> str:
    """Return what a script prints in a throw-away container of a service's image, on the host's network."""
    client = docker.from_env()
    image = ready.stack.container(service).image.id
    made = client.containers.create(image, ["-c", script], entrypoint=["sh"], user="0:0", network_mode="host")
    try:
        buffer = io.BytesIO()
        with tarfile.open(fileobj=buffer, mode="w") as archive:
            for name, text in files.items():
                info = tarfile.TarInfo(name)
                info.size, info.mode = len(text), 0o600
                archive.addfile(info, io.BytesIO(text.encode()))
        made.put_archive("/tmp", buffer.getvalue())  # noqa: S108  # the container's own
        made.start()
        code = made.wait(timeout=120)["StatusCode"]
        text = str(made.logs(stdout=True, stderr=code != 0).decode())
        if code:
            raise RuntimeError(f"{service}: {text}")
        return text
    finally:
        made.remove(v=True, force=True)


def pgbench(ready: Ready) -> float:
    """Return the median milliseconds of `pgbench -S -c1 -M prepared`."""
    service = ready.stack.resolved["services"]["postgresql"]
    port = next(iter(service["ports"]))["host"]
    login, database = service["accounts"]["app"]["login"], service["database"]
    where = f"-h 127.0.0.1 -p {port} -U {login} {database}"
    script = (
        "export PGPASSFILE=/tmp/pgpass; cd /tmp; b=$(command -v pgbench || ls /usr/lib/postgresql/*/bin/pgbench); "
        f'"$b" -i -q -s 1 {where} >/dev/null 2>&1 && '
        f'"$b" -S -c1 -M prepared -t {REQUESTS} -n -l --log-prefix=/tmp/log {where} >/dev/null && cat /tmp/log.*'
    )
    lines = from_image(ready, "postgresql", script, {"pgpass": f"*:*:*:*:{ready.stack.passwords('postgresql')['app']}"})
    return statistics.median(int(line.split()[2]) for line in lines.splitlines()) / 1000


def redis_benchmark(ready: Ready) -> float:
    """Return the median milliseconds of `redis-benchmark -c1 -t get`, as a user whose password anything is."""
    port = ready.stack.resolved["services"]["redis"]["ports"][0]["host"]
    admin: Any = ready.stack.redis("admin")
    admin.execute_command("ACL", "SETUSER", "bench", "on", "nopass", "~*", "+@all")
    try:
        script = f"redis-benchmark -p {port} --user bench -a any -c 1 -n {REQUESTS} -d 100 -t get --csv"
        table = csv.DictReader(io.StringIO(from_image(ready, "redis", script, {})))
        return float(next(iter(table))["p50_latency_ms"])
    finally:
        admin.execute_command("ACL", "DELUSER", "bench")


def service_time(workload: Workload) -> float:
    """Return the median milliseconds of a workload's judged operation."""
    operation = workload.operations()[0]
    prober = Prober()
    prober.closed_loop(operation, operation.warm_up)
    series = prober.closed_loop(operation, REQUESTS)
    if series.misses:
        raise RuntimeError(series.first_error)
    return statistics.median(series.samples) / 1e6


def compared(ready: Ready, workload: Workload, tool: Any, name: str) -> str:
    """Return a row: the probe's median against the tool's, in turns."""
    workload.build()
    try:
        workload.open()
        pairs = [(service_time(workload), tool(ready)) for _ in range(ROUNDS)]
    finally:
        workload.close()
        workload.remove()
    ours, theirs = (statistics.median(pair[side] for pair in pairs) for side in (0, 1))
    return f"| {name} | {ours:.3f} ms / {theirs:.3f} ms = {ours / theirs:.2f} |"


def cpu(workloads: dict[str, Workload]) -> tuple[float, float]:
    """Return the prober's milliseconds of CPU for a round of all services: kept connections, and new ones."""
    spent = []
    for step in ("round_trip", "reconnect"):
        rounds = []
        for _ in range(2 * ROUNDS):
            before = time.process_time()
            for workload in workloads.values():
                getattr(workload, step)()
            rounds.append(time.process_time() - before)
        spent.append(1000 * statistics.median(rounds))
    return spent[0], spent[1]


@contextmanager
def answering_late(container: Any) -> Iterator[None]:
    """Let a service stand still for a second from now on."""
    container.pause()
    timer = threading.Timer(1.0, container.unpause)
    timer.start()
    try:
        yield
    finally:
        timer.join()


def seconds(probes: dict[str, Probe], late: Any = None) -> float:
    """Return how long deep health of these services takes, one of which may be late."""
    with answering_late(late) if late else nullcontext():
        since = time.monotonic()
        deep_health(probes, 20.0)
        return time.monotonic() - since


def health(probes: dict[str, Probe]) -> tuple[float, float, float]:
    """Return seconds of deep health: all services at once, the one that takes longest alone, all processors' work.

    The last one is what this host's processors need for it when none of them ever waits: less time than that is not to
    be had, whoever asks.
    """
    together, work = [], []
    for _ in range(ROUNDS):
        before = Reading.take()
        together.append(seconds(probes))
        work.append(together[-1] * usage_shares(before, Reading.take())["cpu_percent"] / 100)
    alone = [statistics.median(seconds({name: probe}) for _ in range(ROUNDS)) for name, probe in probes.items()]
    return statistics.median(together), max(alone), statistics.median(work)


def health_when_late(probes: dict[str, Probe], name: str, container: Any) -> tuple[float, float]:
    """Return the same where one service answers a second late: that of all, and that of this one alone."""
    together = [seconds(probes, container) for _ in range(ROUNDS)]
    alone = [seconds({name: probes[name]}, container) for _ in range(ROUNDS)]
    return statistics.median(together), statistics.median(alone)


def check(ready: Ready) -> float:
    """Return the seconds of `./ready check`, all of it."""
    since = time.monotonic()
    ready.run("check", code=None)
    return time.monotonic() - since


def main() -> int:
    """Measure and print a table in Markdown."""
    with (
        tempfile.TemporaryDirectory(prefix="ready-bench-") as directory,
        own_stack(Path(directory), NAME, SERVICES, more={}) as ready,
    ):
        ready.run("up")
        stack, client = ready.stack.resolved, docker.from_env()
        probes = make_probes(stack, read_secrets(client, stack), 5.0)
        images = {name: its["image_id"] for name, its in read_running(client, stack).items()}
        print("| figure | value |\n|---|---|")
        for name, tool, words in (("postgresql", pgbench, "pgbench -S"), ("redis", redis_benchmark, "redis-benchmark")):
            title = f"{name}, p50: probe / `{words} -c1`"
            print(compared(ready, WORKLOADS[name](probes[name]), tool, title))
        workloads = {name: WORKLOADS[name](probe) for name, probe in probes.items()}
        for workload in workloads.values():
            workload.open()
        kept, new = cpu(workloads)
        for workload in workloads.values():
            workload.close()
        print(f"| CPU of a round of the four services, connections kept / new | {kept:.1f} ms / {new:.1f} ms |")
        together, alone, work = health(probes)
        ratio = f"{together:.2f} s / {alone:.2f} s = {together / alone:.2f}"
        print(f"| health of all four at once / the slowest alone | {ratio} |")
        ratio = f"{work:.2f} s / {alone:.2f} s = {work / alone:.2f}"
        print(f"| the processors' work for it, shared by all of them / the slowest alone | {ratio} |")
        together, alone = health_when_late(probes, "postgresql", ready.stack.container("postgresql"))
        ratio = f"{together:.2f} s / {alone:.2f} s = {together / alone:.2f}"
        print(f"| health of all four, PostgreSQL answering a second late / PostgreSQL alone | {ratio} |")
        checks = sorted(check(ready) for _ in range(3))
        print(f"| `./ready check`, everything at 1,000 samples, median of 3 | {checks[1]:.1f} s |")
        runs = [measure_stack(probes, images, 1000, 120, {}, "/") for _ in range(3)]
        median = sorted(run["seconds"] for run in runs)[1]
        print(f"| latency of all four at 1,000 samples, median of 3 | {median:.1f} s |")
    return 0


if __name__ == "__main__":
    sys.exit(main())
