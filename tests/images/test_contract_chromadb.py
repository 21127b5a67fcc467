# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""chromadb/chroma:1.5.9's contract, line by line (docs/images.md)."""

from __future__ import annotations

import io
import json
import tarfile
import urllib.request

import chromadb
import pytest
from docker.models.containers import Container

from tests.images.lab import DEFINITIONS, Lab, port, process, sh, until


def healthy(container: Container, inside: int = 8000) -> bool:
    """Ask the server whether it can work."""
    url = f"http://127.0.0.1:{port(container, inside)}/api/v2/healthcheck"
    with urllib.request.urlopen(url, timeout=5) as answer:
        return bool(json.load(answer)["is_executor_ready"])


@pytest.fixture(scope="module")
def server(lab: Lab) -> Container:
    """Return a hardened server with the image's own configuration."""
    container = lab.start("chromadb", volumes=[f"{lab.volume('chromadb')}:/data"])
    until(lambda: healthy(container), container)
    return container


def test_chromadb_hardened(server: Container) -> None:
    """Runs as 10001:10001, without capabilities or new privileges, on a read-only root."""
    status = process(server)
    assert (status["Name"], status["Uid"].split()[0], status["Gid"].split()[0]) == ("tini", "10001", "10001")
    assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0
    assert status["NoNewPrivs"] == "1"
    assert "Read-only" in sh(server, "touch /x 2>&1 || true")


def test_chromadb_health_check(server: Container) -> None:
    """The definition's health check, which has bash alone to work with, is green."""
    code, _ = server.exec_run(DEFINITIONS["chromadb"]["health"]["test"][1:])
    assert code == 0


def test_chromadb_data_and_signals(server: Container) -> None:
    """/data has everything after SIGTERM and a restart; the end comes at once."""
    client = chromadb.HttpClient(host="127.0.0.1", port=port(server, 8000))
    vectors = [[float(i == j) for j in range(8)] for i in range(8)]
    client.create_collection("contract").upsert(ids=[str(i) for i in range(8)], embeddings=vectors)  # type: ignore[arg-type]
    server.stop(timeout=30)
    assert server.wait()["StatusCode"] in (0, 143)
    assert "chroma.sqlite3" in {path.rsplit("/", 1)[-1] for path in _data(server)}
    server.start()
    until(lambda: healthy(server), server)
    client = chromadb.HttpClient(host="127.0.0.1", port=port(server, 8000))
    assert client.get_collection("contract").query(query_embeddings=[vectors[5]], n_results=1)["ids"] == [["5"]]  # type: ignore[arg-type]


def _data(container: Container) -> list[str]:
    stream, _ = container.get_archive("/data")
    with tarfile.open(fileobj=io.BytesIO(b"".join(stream))) as archive:
        return archive.getnames()


def test_chromadb_own_config(lab: Lab) -> None:
    """`run FILE` takes another configuration."""
    text = 'port: 8123\nlisten_address: "0.0.0.0"\npersist_path: "/data"\nallow_reset: true\n'
    config = lab.volume("chromadb", {"mine.yaml": (text, 0o444)})
    container = lab.start(
        "chromadb", ["run", "/conf/mine.yaml"], volumes=[f"{config}:/conf:ro"], ports={"8123/tcp": ("127.0.0.1", None)}
    )
    assert until(lambda: healthy(container, 8123), container)


def test_chromadb_command(lab: Lab) -> None:
    """Arguments go to the chroma program."""
    code, output = lab.once("chromadb", ["--version"])
    assert (code, output.split()[0]) == (0, "chroma")
