"""Moving a running AI service to a site's own model, to ones that do not do, and back to that of the image."""

from __future__ import annotations

import hashlib
import io
import json
import os
import tarfile
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import docker
import pytest

from tests.names import own
from tests.system.conftest import Ready, own_stack

NAME = own("sys-moves")
MODEL = "/opt/ready-ai/models/SmolLM2-135M-Instruct.Q4_1.gguf"
#: Asks the model server from within, with the key that its gateway sends.
ASK = """\
import json, urllib.request
key = open("/run/ready/secrets/server").read().strip()
request = urllib.request.Request("http://127.0.0.1:8080/v1/models", headers={"Authorization": f"Bearer {key}"})
print(json.dumps([model["id"] for model in json.load(urllib.request.urlopen(request))["data"]]))
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """A stack of the AI service alone, with the image's models."""
    directory = tmp_path_factory.mktemp("moves") / "site"
    with own_stack(directory, NAME, ["ai"]) as ready:
        ready.run("up")
        yield ready


@pytest.fixture(scope="module")
def file(served: Ready) -> Path:
    """A model of the site's own: the image's, which loads with some zeros behind it as well."""
    chunks, _ = served.stack.container("ai").get_archive(MODEL)
    with tarfile.open(fileobj=io.BytesIO(b"".join(chunks))) as archive:
        content = archive.extractfile(archive.getmembers()[0])
        assert content
        path = served.directory / "own.gguf"
        path.write_bytes(content.read() + b"\0" * 32)
    return path


def chat(path: Path, **more: Any) -> dict[str, Any]:
    """Return `ai_models` with a chat model of this file."""
    return {
        "chat": {
            "name": "Own",
            "file": str(path),
            "sha256": hashlib.sha256(path.read_bytes()).hexdigest(),
            **more,
        }
    }


def models(served: Ready) -> list[str]:
    """Return what the server says that it serves."""
    code, output = served.stack.container("ai").exec_run(["python3", "-c", ASK])
    assert code == 0, output
    return list(json.loads(output.splitlines()[-1]))


def copies() -> set[str]:
    """Return the names in the volume of copies."""
    volume = docker.from_env().volumes.get(f"{NAME}_ai_models")
    return {path.name for path in Path(volume.attrs["Mountpoint"]).iterdir()}


def test_refused_before_anything_changes(served: Ready, file: Path) -> None:
    """A truncated file, another checksum, and HTML in place of a model: the running container is left alone."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", "15")
            self.end_headers()
            self.wfile.write(b"<!doctype html>")

    before = served.stack.identities()
    whole = chat(file)["chat"]
    cut = served.directory / "cut.gguf"
    cut.write_bytes(file.read_bytes()[:-1000])
    http = HTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=http.serve_forever, args=(0.05,), daemon=True).start()
    address = f"http://me:s3cretword@127.0.0.1:{http.server_address[1]}/own.gguf?token=t0kenword"
    embedding = {"name": "Own-E", "url": address, "sha256": "ab" * 32, "dimensions": 384}
    served.environment |= {"no_proxy": "127.0.0.1", "NO_PROXY": "127.0.0.1"}
    served.set(ai_models={"chat": whole | {"file": str(cut)}, "embedding": embedding})
    try:
        result = served.run("up", "--", "-vvv", code=2)
    finally:
        http.shutdown()
    assert f"{cut}: found SHA-256 {chat(cut)['chat']['sha256']}, expected {whole['sha256']}" in result.text
    assert "found HTML or XML, expected a GGUF file" in result.text
    assert "s3cretword" not in result.text
    assert "t0kenword" not in result.text
    assert served.stack.identities() == before
    assert copies() == set()


def test_one_that_does_not_start(served: Ready) -> None:
    """A file that is what the inventory says and that no server loads is found out in a trial."""
    before = served.stack.identities()
    noise = served.directory / "noise.gguf"
    noise.write_bytes(b"GGUF" + os.urandom(5000))
    served.set(ai_models=chat(noise))
    result = served.run("up", code=2)
    assert "ai does not start with what has changed" in result.text
    assert served.stack.identities() == before
    assert models(served) == ["SmolLM2-135M-Instruct", "all-MiniLM-L6-v2"]


def test_to_an_own_model(served: Ready, file: Path) -> None:
    """It is copied and served; what the run before has left in the volume goes, and a second run changes nothing."""
    served.set(ai_models=chat(file))
    sha256 = chat(file)["chat"]["sha256"]
    would = served.run("up", "--check")
    assert f"have the model Own@{sha256[:12]} of {file} in {NAME}_ai_models" in would.text
    assert "io.ready.model.chat: found SmolLM2-135M-Instruct@b179c9523d0e, expected Own@" in would.text
    served.run("up")
    assert models(served) == ["Own", "all-MiniLM-L6-v2"]
    assert copies() == {f"{sha256}.gguf"}
    assert served.run("up").changed == 0


def test_back_to_that_of_the_image(served: Ready) -> None:
    """Nothing is copied any more, and nothing stays."""
    served.set(ai_models=None)
    served.run("up")
    assert models(served) == ["SmolLM2-135M-Instruct", "all-MiniLM-L6-v2"]
    assert copies() == set()
