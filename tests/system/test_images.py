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
from ready.images.job_images import TOOLS
from ready.images.recipe import image_reference, read_recipe, recipe_hash

from tests.built import image_of
from tests.cleanup import remove
from tests.packages import install
from tests.system.conftest import Ready
from tests.system.copies import copy_checkout
from tools.ports import free_ports

CONFIG = """\
version: 0.1
storage: {filesystem: {rootdirectory: %s}, delete: {enabled: true}}
http: {addr: "127.0.0.1:%d"}
"""


@dataclass
class Registry:
    """Debian's docker-registry, started by the test on a separate port and directory."""

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

    def push(self, source: str, tag: str = "7-alpine", name: str = "library/redis") -> None:
        """Push a local image, as library/redis unless another name is given."""
        client = docker.from_env()
        repository = f"{self.address}/{name}"
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
    registry.push(image_of("redis"))
    yield registry
    registry.stop()
    client = docker.from_env()
    for image in client.api.images():  # not one by one: other tests remove theirs meanwhile
        for name in [*(image["RepoTags"] or []), *(image["RepoDigests"] or [])]:
            if name.startswith(registry.address):
                client.images.remove(name)


def lock(ready: Ready) -> Path:
    """Return the inventory's lock file."""
    return ready.inventory / "group_vars" / "all" / "ready_images_lock.yml"


def test_registry_digest_and_lock(redis: Ready, registry: Registry) -> None:
    """First use writes the lock; later runs need no registry; a tag that has moved is reported, and not followed.

    What else may be wrong with registry, lock and archives is in molecule/container_images.
    """
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

    registry.push(image_of("chromadb"))  # the tag moves
    registry.stop()
    assert redis.run("up").changed == 0
    registry.start()
    shown = redis.run("images", "lock", "--check")
    assert f"redis: {locked['digest']} -> sha256:" in shown.text


def test_auto_falls_through_and_binds_the_data(redis: Ready) -> None:
    """Auto says why the others do not serve, and data keep their source when another is asked for."""
    redis.set(image_source="auto", container_images_registry_mirror="127.0.0.1:9")
    result = redis.run("up")
    assert "from: build (registry: 127.0.0.1:9/library/redis" in result.text
    redis.stack.container("redis").remove(force=True, v=True)
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
    """Put an archive of an image that no Docker has into a directory of archives, and return its id.

    It is the built one with a label more, so it has that one's recipe.
    """
    client = docker.from_env()
    recipe = f"FROM {image_of('redis')}\nLABEL io.ready.test={archives.parent.name}\n"
    made, _ = client.images.build(fileobj=io.BytesIO(recipe.encode()), rm=True)
    with (archives / "redis.tar").open("wb") as file:
        file.writelines(made.save())
    client.images.remove(str(made.id))
    manifest = json.loads((archives / "manifest.json").read_text())
    digest = hashlib.sha256((archives / "redis.tar").read_bytes()).hexdigest()
    manifest["images"]["redis"] |= {"id": made.id, "sha256": digest, "ref": f"ready/redis-{archives.parent.name}:1"}
    (archives / "manifest.json").write_text(json.dumps(manifest))
    return str(made.id)


@pytest.fixture
def tool(redis: Ready) -> Iterator[str]:
    """Run the launcher from a copy whose recipe of Kailash's image is another, and give a small image that is so named.

    The real one is as large as all others of the default stack but Neo4j's, and nothing here depends on what is in it.
    """
    client, images = docker.from_env(), copy_checkout(redis.directory / "checkout") / "images"
    redis.checkout = images.parent
    with (images / "kailash" / "requirements.txt").open("a") as file:
        file.write(f"# of the test {redis.stack.name}\n")
    name = image_reference("kailash", TOOLS["kailash"], recipe_hash(read_recipe(images, "kailash"), "kailash"))
    recipe = f"FROM {image_of('redis')}\nLABEL io.ready.test={redis.stack.name}\n"
    client.images.build(fileobj=io.BytesIO(recipe.encode()), tag=name, rm=True)
    yield name
    client.images.remove(name, force=True)


def test_archives(redis: Ready, registry: Registry, tool: str, tmp_path: Path) -> None:
    """Saved, loaded, used; by HTTP too, where a flipped byte is refused before anything is loaded; then pushed.

    What only verbs need is saved and pushed as well.
    """
    archives = tmp_path / "archives"
    redis.run("up")
    redis.run("images", "save", "--dir", str(archives))
    assert json.loads((archives / "manifest.json").read_text())["images"]["kailash"]["ref"] == tool
    redis.run("images", "load", "--dir", str(archives))
    remove(redis.stack.name)
    redis.set(image_source="archive", container_images_archive_dir=str(archives))
    redis.run("up")
    volume = docker.from_env().volumes.get(f"{redis.stack.name}_redis_data")
    assert volume.attrs["Labels"]["io.ready.source"] == "archive"
    remove(redis.stack.name)

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
        assert redis.stack.identities() == {}
        flip(archives / "redis.tar")
        redis.run("up")
        assert redis.stack.container("redis").attrs["Image"] == identity
        assert asked == ["/redis.tar"] * 2
    pushed(redis, registry, identity)


def pushed(redis: Ready, registry: Registry, identity: str) -> None:
    """What a host runs is pushed once and pulled by one that can't build; what others pushed is not replaced.

    Args:
        redis: a stack that runs from the image.
        registry: the site's.
        identity: an image that Docker has from an archive alone.
    """
    client = docker.from_env()
    mirror = f"{registry.address}/site"  # which has not got upstream's image
    redis.set(container_images_registry_mirror=mirror)
    name, tag = "ready/built/redis", image_of("redis").partition(":")[2]
    said = redis.run("images", "push").text
    assert f"{mirror}/{name}:{tag}: pushed sha256:" in said
    assert "kailash: pushed sha256:" in said
    assert not any(its.startswith(registry.address) for its in client.images.get(identity).tags)
    again = redis.run("images", "push")
    assert "is there already" in again.text
    assert again.changed == 0

    # As on a host that has neither the image nor packages to build it of.
    remove(redis.stack.name)
    client.images.remove(identity, force=True)
    redis.set(image_source="registry", container_images_archive_dir=None, container_images_archive_url=None)
    redis.run("up")
    container = redis.stack.container("redis").attrs
    assert container["Image"] == identity
    locked = yaml.safe_load(lock(redis).read_text())["ready_images_lock"]["redis"]
    assert (locked["repository"], locked["tag"]) == (name, tag)
    assert container["Config"]["Image"] == f"{mirror}/{name}@{locked['digest']}"
    volume = client.volumes.get(f"{redis.stack.name}_redis_data").attrs["Labels"]
    assert (volume["io.ready.source"], volume["io.ready.data_format"]) == ("registry", "rdb-10")

    registry.push(image_of("redis"), tag, f"site/{name}")  # another host's build of the same recipe
    refused = redis.run("images", "push", code=2)
    assert f"found {str(client.images.get(image_of('redis')).id)[:19]} there, expected {identity[:19]}" in refused.text
    assert "Nothing was pushed. Next: --force replaces it" in refused.text
    replaced = redis.run("images", "push", "--force")
    assert f"pushed, in place of another image {locked['digest']}" in replaced.text
    assert redis.stack.container("redis").attrs["Config"]["Image"] == container["Config"]["Image"]
    remove(redis.stack.name)
    client.images.remove(identity, force=True)
