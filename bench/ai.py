# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The figures of bench/README.md about the service `ai`: `.venv/bin/python bench/ai.py [ENV_FILE]`, some minutes.

Without ENV_FILE it measures the image's container alone. ENV_FILE is what `./ready env --secrets --output ENV_FILE`
wrote: then it measures what answers there, through the gateway. Nothing else should run meanwhile: ratios are of one
run, absolute times are of one machine.
"""

from __future__ import annotations

import http.client
import json
import multiprocessing
import os
import ssl
import statistics
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import docker

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT), str(ROOT / "module_utils")]

from docker.models.containers import Container  # noqa: E402
from ready.connections.environment import read_env_file  # noqa: E402

from tests.images import ai_server as contract  # noqa: E402
from tests.images.lab import Lab, port, until  # noqa: E402

REQUESTS, TOKENS, SENTENCES, STARTS = 24, 16, 100, 5
#: Those of the image, as contract.settings names them.
CHAT_MODEL, EMBEDDING_MODEL = "SmolLM2-135M-Instruct", "all-MiniLM-L6-v2"
#: Answers requests, one a line, by the same model in its own process, and prints seconds.
IN_PROCESS = """
import json, os, sys, time
sys.path.insert(0, "/usr/local/lib/ready-ai")
import xllamacpp
from ready_ai.engine import parameters
server, out = xllamacpp.Server(parameters(json.loads(sys.stdin.readline()))), os.dup(1)
os.dup2(2, 1)
os.write(out, b"ready\\n")
for line in sys.stdin:
    asked, began = json.loads(line), time.perf_counter()
    done = server.handle_embeddings(asked) if "input" in asked else server.handle_chat_completions(asked)
    os.write(out, b"%f\\n" % (time.perf_counter() - began))
"""


class Served:
    """What answers OpenAI's requests."""

    def __init__(self, chat: str, embedding: str, key: str, authority: str | None = None) -> None:
        """Take the two addresses, which are one behind a gateway, up to and with /v1; and the file of their CA."""
        self.addresses = {"/chat/completions": chat, "/embeddings": embedding}
        self.context = ssl.create_default_context(cafile=authority)
        self.headers = {"Authorization": f"Bearer {key}", "Content-Type": "application/json"}

    def ask(self, path: str, asked: dict[str, Any]) -> tuple[float, float]:
        """Return the seconds to the first byte of content, and to the end."""
        url = urlsplit(self.addresses[path])
        client = (
            http.client.HTTPSConnection(url.netloc, timeout=120, context=self.context)
            if url.scheme == "https"
            else http.client.HTTPConnection(url.netloc, timeout=120)
        )
        client.connect()
        began, first = time.perf_counter(), 0.0
        client.request("POST", url.path + path, json.dumps(asked), self.headers)
        response = client.getresponse()
        if response.status != 200:
            raise RuntimeError(f"{path}: found status {response.status}: {response.read()!r}")
        for line in response:
            if not first and (b'"content":"' in line or b'"embedding"' in line):
                first = time.perf_counter() - began
        client.close()
        return first, time.perf_counter() - began


def chat(number: int, stream: bool = True) -> dict[str, Any]:
    """Return a request that no other is like, so that no answer is a remembered one."""
    text = f"Story {number * 7919 % 1000}: write a long story about a lighthouse and a ship, with many details."
    return {
        "model": CHAT_MODEL,
        "messages": [{"role": "user", "content": text}],
        "max_tokens": TOKENS,
        "stream": stream,
    }


def sentences(number: int) -> dict[str, Any]:
    """Return a request for 100 vectors."""
    texts = [
        f"Product {number * 1000 + item} costs {item * 7} euros and lies on shelf {item}." for item in range(SENTENCES)
    ]
    return {"model": EMBEDDING_MODEL, "input": texts}


def spin() -> None:
    """Keep one core busy."""
    while True:
        pass


@contextmanager
def busy(cores: int) -> Iterator[None]:
    """Keep cores busy meanwhile."""
    work = [multiprocessing.Process(target=spin, daemon=True) for _ in range(cores)]
    for process in work:
        process.start()
    try:
        yield
    finally:
        for process in work:
            process.terminate()


def row(name: str, seconds: list[float]) -> None:
    """Print the median and the 95th percentile."""
    p95 = statistics.quantiles(seconds, n=20, method="inclusive")[-1]
    print(f"| {name} | {1000 * statistics.median(seconds):.0f} ms, {1000 * p95:.0f} ms |", flush=True)


def latency(served: Served) -> None:
    """Print first token and whole answers, by clients and load; and 100 sentences."""
    for cores in (0, os.cpu_count() or 1):
        for clients in (1, 4):
            with busy(cores), ThreadPoolExecutor(clients) as pool:
                done = list(pool.map(lambda n: served.ask("/chat/completions", chat(n)), range(REQUESTS)))
            where = f"{clients} client{'s' * (clients > 1)}, {'all cores busy' if cores else 'idle'}"
            row(f"{where}: first token, p50 and p95", [first for first, _ in done])
            row(f"{where}: {TOKENS} tokens, p50 and p95", [whole for _, whole in done])
    row(f"{SENTENCES} sentences embedded, p50 and p95", [served.ask("/embeddings", sentences(n))[1] for n in range(7)])


def in_process(image: str, content: dict[str, Any], kind: str) -> subprocess.Popen[str]:
    """Return a container that has a model in its own process."""
    command = [
        "docker",
        "run",
        "--rm",
        "-i",
        "--network",
        "none",
        "--entrypoint",
        "python3",
        image,
        "-I",
        "-c",
        IN_PROCESS,
    ]
    made = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)  # noqa: S603
    model = content[kind]
    limits = {key: model[key] for key in ("context_tokens", "parallel") if key in model}
    assert made.stdin
    assert made.stdout
    made.stdin.write(json.dumps({**model, "kind": kind, "key": "unused", "threads": 1, "limits": limits}) + "\n")
    made.stdin.flush()
    made.stdout.readline()
    return made


def compared(served: Served, image: str, content: dict[str, Any]) -> None:
    """Print what is served against the same model in process, in turns."""
    for kind, path, rounds in (("chat", "/chat/completions", REQUESTS), ("embedding", "/embeddings", 7)):
        inner = in_process(image, content, kind)
        assert inner.stdin
        assert inner.stdout
        pairs = []
        for number in range(100, 101 + rounds):
            asked = chat(number, stream=False) if kind == "chat" else sentences(number)
            inner.stdin.write(json.dumps(asked) + "\n")
            inner.stdin.flush()
            pairs.append((served.ask(path, asked)[1], float(inner.stdout.readline())))
        inner.stdin.close()
        inner.wait(timeout=30)
        ours, theirs = (statistics.median(pair[side] for pair in pairs[1:]) * 1000 for side in (0, 1))
        print(
            f"| {kind}, p50: served / in process | {ours:.0f} ms / {theirs:.0f} ms = {ours / theirs:.2f} |", flush=True
        )


def use(container: Container) -> str:
    """Return memory without what the kernel may drop, and the number of processes and threads."""
    found: Any = container.stats(stream=False)
    memory = found["memory_stats"]
    kept = memory["usage"] - memory["stats"].get("total_inactive_file", memory["stats"].get("inactive_file", 0))
    return f"{kept / 2**20:.0f} MiB; {found['pids_stats']['current']}"


def starts(container: Container) -> list[float]:
    """Return the seconds from start to healthy, several times."""
    found = []
    for _ in range(STARTS):
        container.stop(timeout=10)
        began = time.monotonic()
        container.start()
        until(lambda: contract.ask(container, contract.STATUS, "/health")[0] == 200, container)
        found.append(time.monotonic() - began)
    return found


def at_settings(path: Path) -> Served:
    """Return what a file of settings names. Raises SystemExit when that is not served by the image's own models."""
    its = read_env_file(path)
    models = its.get("OPENAI_MODEL"), its.get("OPENAI_EMBEDDING_MODEL")
    if models != (CHAT_MODEL, EMBEDDING_MODEL):
        wanted = f"{CHAT_MODEL} and {EMBEDDING_MODEL}, which it is compared with"
        raise SystemExit(
            f"{path}: found the models {models}, expected {wanted}. Next: name a stack of the image's models"
        )
    url = its["OPENAI_BASE_URL"]
    return Served(url, url, its["OPENAI_API_KEY"], its.get("OPENAI_CA_FILE"))


def alone(lab: Lab, content: dict[str, Any]) -> tuple[Served, Container]:
    """Print size, starts and memory of the image's container by itself; return what it serves, and the container."""
    print(f"| image | {lab.client.images.get(lab.image('ai')).attrs['Size'] / 1e6:.0f} MB |")
    container = lab.start("ai", volumes=contract.volume(lab, content), ports=contract.PUBLISHED)
    until(lambda: contract.ask(container, contract.STATUS, "/health")[0] == 200, container)
    print(f"| start to healthy, median of {STARTS} | {statistics.median(starts(container)):.1f} s |")
    print(f"| idle: memory; processes and threads | {use(container)} |", flush=True)
    chat_url, embedding_url = (
        f"http://127.0.0.1:{port(container, inside)}/v1" for inside in (contract.CHAT, contract.EMBEDDING)
    )
    return Served(chat_url, embedding_url, contract.KEY), container


def main() -> int:
    """Measure and print a table in Markdown."""
    settings = Path(sys.argv[1]) if len(sys.argv) > 1 else None
    lab = Lab(docker.from_env())
    print("| figure | value |\n|---|---|", flush=True)
    try:
        _, manifest = lab.once("ai", ["cat", f"{contract.MODELS}/SHA256SUMS"])
        content = contract.settings({file: digest for digest, file in map(str.split, manifest.splitlines())})
        content["chat"]["context_tokens"] = 4096
        served, container = (at_settings(settings), None) if settings else alone(lab, content)
        latency(served)
        compared(served, lab.image("ai"), content)
        if container:
            print(f"| afterwards: memory; processes and threads | {use(container)} |")
    finally:
        lab.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
