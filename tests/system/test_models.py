"""A site's own model on a real Docker: copied whole or not at all, repaired, cleared, never in memory as a whole."""

from __future__ import annotations

import hashlib
import subprocess
import tracemalloc
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import docker
import pytest
from ready.common.labels import LABEL_STACK, LABEL_TRIAL
from ready.docker.model_files import MARK, Copies, in_volume
from ready.docker.model_source import ModelError
from ready.docker.state import EngineError
from ready.stack.models import own_models

from tests.built import image_of
from tests.cleanup import remove
from tests.names import own as own_name

NAME = own_name("sys-models")
VOLUME = f"{NAME}_ai_models"
CONTENT = b"GGUF" + bytes(range(256)) * 8192
OTHER = b"GGUF" + bytes(reversed(range(256))) * 8192


def sha256(content: bytes) -> str:
    """Return the checksum of a content."""
    return hashlib.sha256(content).hexdigest()


@pytest.fixture
def client() -> Iterator[docker.DockerClient]:
    """Return a client, with the volume there; what the tests made is removed when one ends."""
    remove(NAME)
    client = docker.from_env()
    client.volumes.create(VOLUME, labels={LABEL_STACK: NAME})
    yield client
    assert client.containers.list(all=True, filters={"label": [f"{LABEL_STACK}={NAME}", LABEL_TRIAL]}) == []
    remove(NAME)


def image(client: docker.DockerClient) -> str:
    """Return an image of the stack's: that of Redis, which every test builds."""
    return str(client.images.get(image_of("redis")).id)


def service(path: Path, expected: str) -> dict[str, Any]:
    """Return what of a resolved service copies go by, with a model of this file."""
    return {
        "name": "ai",
        "volumes": [{"name": VOLUME, "path": "/models", "holds": "copies"}],
        "models": {
            "chat": {
                "name": "Own",
                "file": f"/models/{expected}.gguf",
                "sha256": expected,
                "source": {"file": str(path)},
            }
        },
    }


def copies(client: docker.DockerClient, its: dict[str, Any]) -> Copies:
    """Return the copies of a service."""
    return Copies(client, NAME, its, image(client))


def place() -> Path:
    """Return where the volume's files are on this host."""
    return Path(docker.from_env().volumes.get(VOLUME).attrs["Mountpoint"])


def names() -> set[str]:
    """Return what is in the volume."""
    return {path.name for path in place().iterdir()}


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return a whole file."""
    path = tmp_path / "own.gguf"
    path.write_bytes(CONTENT)
    return path


def test_a_model_is_copied_once_and_cleared(client: docker.DockerClient, file: Path) -> None:
    """It is read-only, under its checksum; the second time nothing is done; the next model's turn removes it."""
    its = service(file, sha256(CONTENT))
    assert copies(client, its).put({}) == [f"copied the model Own@{sha256(CONTENT)[:12]} into volume {VOLUME}"]
    there = place() / f"{sha256(CONTENT)}.gguf"
    assert there.read_bytes() == CONTENT
    assert there.stat().st_mode & 0o777 == 0o444
    assert names() == {there.name, MARK}
    file.unlink()
    assert copies(client, its).put({}) == []
    file.write_bytes(OTHER)
    later = service(file, sha256(OTHER))
    copies(client, later).put({})
    assert names() == {there.name, f"{sha256(OTHER)}.gguf", MARK}, "the container of before may come back"
    assert copies(client, later).clear() == [f"removed {there.name} from volume {VOLUME}: no model names it"]
    assert names() == {f"{sha256(OTHER)}.gguf"}
    assert copies(client, {**later, "models": {}}).clear() != []
    assert names() == set()


def test_a_damaged_copy_is_replaced(client: docker.DockerClient, file: Path) -> None:
    """What is there under the right name is read, not believed."""
    its = service(file, sha256(CONTENT))
    copies(client, its).put({})
    there = place() / f"{sha256(CONTENT)}.gguf"
    there.write_bytes(CONTENT[:1000])
    assert len(copies(client, its).put({})) == 1
    assert there.read_bytes() == CONTENT


@pytest.mark.parametrize("content", [CONTENT[:-1], CONTENT + b"x", OTHER, b"<html>", b""])
def test_another_file_is_not_copied(client: docker.DockerClient, file: Path, content: bytes) -> None:
    """Truncated, longer, another or none: nothing of it stays, and what was there does."""
    kept = place() / "kept.gguf"
    kept.write_bytes(b"x")
    file.write_bytes(content)
    with pytest.raises(ModelError, match=f"Own@{sha256(CONTENT)[:12]}: {file}: found .*, expected"):
        copies(client, service(file, sha256(CONTENT))).put({})
    assert names() - {MARK} == {kept.name}


def test_what_a_killed_run_left(client: docker.DockerClient, file: Path) -> None:
    """Half a copy is replaced, and cleared where nothing names it."""
    its = service(file, sha256(CONTENT))
    (place() / f".{sha256(CONTENT)}.gguf.part").write_bytes(CONTENT[:1000])
    (place() / f".{sha256(OTHER)}.gguf.part").write_bytes(OTHER[:1000])
    copies(client, its).put({})
    copies(client, its).clear()
    assert names() == {f"{sha256(CONTENT)}.gguf"}


def test_what_a_container_has(client: docker.DockerClient, file: Path) -> None:
    """The state knows it without reading the files, of a container that does not run."""
    its = service(file, sha256(CONTENT))
    mount = docker.types.Mount("/models", VOLUME, type="volume", read_only=True)
    container = client.containers.create(image(client), ["true"], labels={LABEL_STACK: NAME}, mounts=[mount])
    assert in_volume(container, its) == {"held": [], "uncleared": False}
    copies(client, its).put({})
    assert in_volume(container, its) == {"held": list(own_models(its)), "uncleared": True}
    copies(client, its).clear()
    assert in_volume(container, its) == {"held": list(own_models(its)), "uncleared": False}


@contextmanager
def small_volume(size: str) -> Iterator[None]:
    """Put the volume on a new disk of that size."""
    where = place()
    subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", where], check=True)
    try:
        yield
    finally:
        subprocess.run(["umount", where], check=True)


def test_a_full_disk(client: docker.DockerClient, file: Path) -> None:
    """Docker's own words are shown, and nothing of the copy stays."""
    with small_volume("1m"):
        with pytest.raises(EngineError, match=rf"Own@.* can't be copied into volume {VOLUME}: found .*no space left"):
            copies(client, service(file, sha256(CONTENT))).put({})
        assert names() <= {MARK}


def test_never_in_memory_as_a_whole(client: docker.DockerClient, tmp_path: Path) -> None:
    """A file of 256 MiB takes a few of them."""
    path = tmp_path / "large.gguf"
    with path.open("wb") as stream:
        stream.write(b"GGUF")
        stream.truncate(256 << 20)
    expected = subprocess.run(["sha256sum", path], check=True, capture_output=True, text=True).stdout.split()[0]
    its = service(path, expected)
    tracemalloc.start()
    try:
        copies(client, its).put({})
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert peak < 32 << 20
    assert (place() / f"{expected}.gguf").stat().st_size == 256 << 20
