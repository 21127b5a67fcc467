"""Where images come from: a real registry on loopback, archives, and what happens when they are not what they were."""

from __future__ import annotations

import hashlib
import io
import json
import shutil
import subprocess
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import docker
import pytest
import yaml
from ready.definitions import load_definitions

from tests.cleanup import remove
from tests.packages import install
from tests.system.conftest import Ready
from tools.ports import free_ports

CONFIG = """\
version: 0.1
storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}
http: {addr: "127.0.0.1:%d"}
"""


@dataclass
class Registry:
    """Debian's docker-registry, started by the test on a port and a directory of its own."""

    directory: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def address(self) -> str:
        """host:port."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        config = self.directory / "config.yml"
        config.write_text(CONFIG % (self.directory / "data", self.port))
        with (self.directory / "log").open("ab") as log:
            self.process = subprocess.Popen(["docker-registry", "serve", config], stdout=log, stderr=log)
        for _ in range(100):
            try:
                urllib.request.urlopen(f"http://{self.address}/v2/", timeout=1)
            except OSError:
                time.sleep(0.1)
            else:
                return
        raise AssertionError((self.directory / "log").read_text())

    def stop(self) -> None:
        """End it."""
        if self.process:
            self.process.terminate()
            self.process.wait(20)
            self.process = None

    def push(self, source: str, tag: str = "7-alpine") -> None:
        """Push a local image as library/redis."""
        client = docker.from_env()
        repository = f"{self.address}/library/redis"
        client.images.get(source).tag(repository, tag)
        answer = client.images.push(repository, tag)
        assert "error" not in answer, answer
        client.images.remove(f"{repository}:{tag}")


@pytest.fixture(scope="module")
def registry(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Registry]:
    """A registry that serves our own Redis image as if it were upstream's."""
    install("docker-registry")
    registry = Registry(tmp_path_factory.mktemp("registry"), free_ports(1)[0])
    registry.start()
    registry.push(newest("redis"))
    yield registry
    registry.stop()
    client = docker.from_env()
    for image in client.images.list():
        for name in [*(image.attrs.get("RepoTags") or []), *(image.attrs.get("RepoDigests") or [])]:
            if name.startswith(registry.address):
                client.images.remove(name)


def newest(service: str) -> str:
    """Return the reference of our built image, of the release line that is the default."""
    images = docker.from_env().images.list(filters={"label": f"io.ready.image={service}"})
    line = f"ready/{service}:{load_definitions()[service]['image']['version']}-"
    return next(tag for image in images for tag in image.tags if tag.startswith(line))


def lock(ready: Ready) -> Path:
    """Return the inventory's lock file."""
    return ready.inventory / "group_vars" / "all" / "ready_images_lock.yml"


def test_registry_digest_and_lock(redis: Ready, registry: Registry) -> None:
    """First use writes the lock; later runs need no registry; another digest is refused, a moved tag not followed."""
    redis.set(image_source="registry", container_images_registry_mirror=registry.address)
    redis.run("up")
    locked = yaml.safe_load(lock(redis).read_text())["ready_images_lock"]["redis"]
    assert locked["repository"] == "docker.io/library/redis"
    assert locked["digest"].startswith("sha256:")
    image = redis.stack.container("redis").attrs["Config"]["Image"]
    assert image == f"{registry.address}/library/redis@{locked['digest']}"
    assert (
        docker.from_env().volumes.get(f"{redis.stack.name}_redis_data").attrs["Labels"]["io.ready.source"] == "registry"
    )

    registry.push(newest("chromadb"))  # the tag moves
    registry.stop()
    assert redis.run("up").changed == 0
    registry.start()
    redis.run("destroy", "--yes")
    redis.run("up")
    assert redis.stack.container("redis").attrs["Config"]["Image"] == image

    shown = redis.run("images", "lock", "--check")
    assert f"redis: {locked['digest']} -> sha256:" in shown.text

    redis.run("destroy", "--yes")
    wrong = lock(redis).read_text().replace(locked["digest"], "sha256:" + "0" * 64)
    lock(redis).write_text(wrong)
    result = redis.run("up", code=2)
    assert "as the lock says, can't be had" in result.text
    assert "sha256:0000" in result.text
    assert redis.stack.identities() == {}
    registry.push(newest("redis"))


def test_registry_down(redis: Ready) -> None:
    """A registry that does not answer is named, with what else could be done."""
    redis.set(image_source="registry", container_images_registry_mirror="127.0.0.1:9")
    result = redis.run("up", code=2)
    assert "no image source works" in result.text
    assert "connection refused" in result.text
    assert redis.stack.identities() == {}


def test_auto_falls_through_and_binds_the_data(redis: Ready) -> None:
    """Auto says why the others do not serve, and data keep their source when another is asked for."""
    redis.set(image_source="auto", container_images_registry_mirror="127.0.0.1:9")
    result = redis.run("up")
    assert "from: build (registry: 127.0.0.1:9/library/redis" in result.text
    redis.run("destroy", "--yes")
    redis.set(image_source="registry")
    result = redis.run("up", code=None)
    assert redis.stack.identities() == {} or "ready/redis" in redis.stack.container("redis").attrs["Config"]["Image"]


def flip(archive: Path) -> None:
    """Change one bit in the middle of a file, or change it back."""
    with archive.open("r+b") as file:
        file.seek(200_000)
        byte = file.read(1)
        file.seek(200_000)
        file.write(bytes([byte[0] ^ 1]))


@contextmanager
def served(directory: Path) -> Iterator[tuple[str, list[str]]]:
    """Serve a directory over HTTP on loopback; give its address and what is asked for."""
    asked: list[str] = []

    class Handler(SimpleHTTPRequestHandler):
        def log_message(self, *_: object) -> None:
            asked.append(self.path)

    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Handler, directory=str(directory)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/", asked
    finally:
        server.shutdown()
        server.server_close()


def one_of_its_own(archives: Path) -> str:
    """Put an archive of an image that no Docker has into a directory of archives, and return its id."""
    client = docker.from_env()
    recipe = f"FROM {newest('redis')}\nLABEL io.ready.test={archives.parent.name}\n"
    made, _ = client.images.build(fileobj=io.BytesIO(recipe.encode()), rm=True)
    with (archives / "redis.tar").open("wb") as file:
        file.writelines(made.save())
    client.images.remove(str(made.id))
    manifest = json.loads((archives / "manifest.json").read_text())
    digest = hashlib.sha256((archives / "redis.tar").read_bytes()).hexdigest()
    manifest["images"]["redis"] |= {"id": made.id, "sha256": digest, "ref": f"ready/redis-{archives.parent.name}:1"}
    (archives / "manifest.json").write_text(json.dumps(manifest))
    return str(made.id)


def test_archives(redis: Ready, tmp_path: Path) -> None:
    """Saved, loaded, used; one flipped byte is refused before anything is loaded; and all of it by HTTP."""
    archives = tmp_path / "archives"
    redis.run("up")
    redis.run("images", "save", "--dir", str(archives))
    redis.run("images", "load", "--dir", str(archives))
    redis.run("destroy", "--volumes", "--yes")
    redis.set(image_source="archive", container_images_archive_dir=str(archives))
    redis.run("up")
    volume = docker.from_env().volumes.get(f"{redis.stack.name}_redis_data")
    assert volume.attrs["Labels"]["io.ready.source"] == "archive"
    redis.run("destroy", "--volumes", "--yes")
    flip(archives / "redis.tar")
    result = redis.run("up", code=2)
    assert "redis.tar has sha256" in result.text
    assert "Nothing was loaded" in result.text
    assert redis.stack.identities() == {}

    # As a fleet has it: the controller has the manifest, a web server the archives.
    identity = one_of_its_own(archives)
    (tmp_path / "manifest").mkdir()
    shutil.copy(archives / "manifest.json", tmp_path / "manifest")
    with served(archives) as (address, asked):
        redis.set(container_images_archive_dir=str(tmp_path / "manifest"), container_images_archive_url=address)
        flip(archives / "redis.tar")
        result = redis.run("up", code=2)
        assert f"{address}redis.tar: found The checksum for" in result.text
        assert "Nothing was loaded" in result.text
        flip(archives / "redis.tar")
        redis.run("up")
        assert redis.stack.container("redis").attrs["Image"] == identity
        assert asked == ["/redis.tar"] * 2
    remove(redis.stack.name)
    docker.from_env().images.remove(identity, force=True)
