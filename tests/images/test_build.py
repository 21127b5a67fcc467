# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Real builds of a small recipe: progress, failures in the middle, going on afterwards, leaving nothing behind."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import docker
import pytest
from ready.images.build import LABEL_STAGE, Builder
from ready.images.build_failures import BuildError
from ready.images.class_archive import FILE, SCRIPT
from ready.images.recipe import read_recipe

from tests.images.lab import DEFINITIONS, ROOT, Lab
from tests.names import own

#: The image that is built: another checkout's tests may run beside these.
STUB = own("stub")
RECIPE = """\
ARG BASE
FROM ${{BASE}} AS build
LABEL io.ready.stage={stub}
COPY host/ /build/host/
RUN install -d /out && cat /proc/sys/kernel/random/uuid >/out/stamp
RUN {fetch}
FROM ${{BASE}}
COPY --from=build /out/ /
"""


@pytest.fixture
def server() -> Iterator[socket.socket]:
    """Return a socket with a port that nobody else gets; it refuses whoever connects until it is to answer."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound


def port_of(server: socket.socket) -> int:
    """Return its port."""
    return int(server.getsockname()[1])


@contextmanager
def answering(server: socket.socket, text: bytes) -> Iterator[None]:
    """Answer every connection with a text: a package index, as far as the stub is concerned."""
    server.listen()

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with connection:
                    connection.sendall(text)

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield
    finally:
        server.shutdown(socket.SHUT_RDWR)  # a socket that is only closed listens on while accept() waits


@pytest.fixture
def lines() -> list[str]:
    """Return what a build said."""
    return []


@pytest.fixture
def cleaned(lab: Lab, client: docker.DockerClient) -> Iterator[None]:
    """Remove the stub's images afterwards, and the containers that were made of them."""
    before = len(lab.containers)
    yield
    for container in lab.containers[before:]:
        container.remove(force=True, v=True)
        lab.containers.remove(container)
    for tag in [tag for found in client.images.list(f"ready/{STUB}") for tag in found.tags]:
        client.images.remove(tag)


def builder(client: docker.DockerClient, fetch: str, lines: list[str]) -> Builder:
    """Return a builder of the stub recipe upon the real base."""
    recipe = RECIPE.format(fetch=fetch, stub=STUB).encode()
    files = {**read_recipe(ROOT / "images", "base"), f"{STUB}/Containerfile": recipe}
    return Builder(client, files, "localhost", lines.append)


@pytest.mark.usefixtures("cleaned")
def test_index_down_in_the_middle_then_again(
    lab: Lab, client: docker.DockerClient, lines: list[str], server: socket.socket
) -> None:
    """The failure is reported by image, step and cause; the next run goes on from the finished steps."""
    lab.image("redis")  # the base is there
    port = port_of(server)
    fetch = f"exec 3<>/dev/tcp/127.0.0.1/{port} && cat <&3 >/out/fetched"
    build = builder(client, f'["bash", "-c", "{fetch}"]', lines)
    with pytest.raises(BuildError, match=rf"localhost: building image {STUB}, step 6/8: package index not") as failure:
        build.build(STUB, "1")
    assert "Connection refused" in str(failure.value)
    before = _stamp(client)
    with answering(server, b"package"):
        image = build.build(STUB, "1")
    code, stamp = lab.once("redis", image=image["ref"], entrypoint=["cat", "/stamp", "/fetched"])
    assert (code, stamp) == (0, before + "package")
    assert image["engine_version"] == "1"
    assert f"{STUB}: step 6/8 RUN " in "\n".join(lines)
    assert lines[-1].startswith(f"{STUB}: built in ")
    assert not client.images.list(filters={"dangling": True, "label": f"{LABEL_STAGE}={STUB}"})


def _stamp(client: docker.DockerClient) -> str:
    """Return what the finished step of the failed build wrote."""
    left = client.images.list(filters={"dangling": True, "label": f"{LABEL_STAGE}={STUB}"})
    assert left
    return str(client.containers.run(str(left[0].id), ["cat", "/out/stamp"], remove=True).decode())


def test_hash_mismatch(lab: Lab, client: docker.DockerClient, lines: list[str]) -> None:
    """Another content than the pinned one stops the build."""
    lab.image("redis")
    fetch = "echo changed >/jar && echo '{}  /jar' | sha256sum --check --strict".format("0" * 64)
    build = builder(client, fetch, lines)
    with pytest.raises(BuildError, match="hash mismatch") as failure:
        build.build(STUB, "2")
    assert "/jar: FAILED" in str(failure.value)
    build._remove_stages(STUB)


def with_archive(client: docker.DockerClient, script: str, lines: list[str]) -> Builder:
    """Return a builder of a stub that makes an archive of its classes by a script."""
    recipe = b"ARG BASE\nFROM ${BASE}\nWORKDIR /srv\nUSER 7474\nVOLUME /data\n"
    files = {f"{STUB}/Containerfile": recipe, f"{STUB}/{SCRIPT}": script.encode()}
    return Builder(client, {**read_recipe(ROOT / "images", "base"), **files}, "localhost", lines.append)


@pytest.mark.usefixtures("cleaned")
def test_archive_is_made_without_a_network(
    lab: Lab, client: docker.DockerClient, lines: list[str], server: socket.socket
) -> None:
    """What the script writes lies in the image's working directory; its container has no network."""
    lab.image("redis")
    port = port_of(server)
    script = f"""
        if (exec 3<>/dev/tcp/127.0.0.1/{port}) 2>/dev/null; then echo "spoke to the host" >&2; exit 1; fi
        tail -n +2 /proc/net/route >"$1"
        grep CapEff /proc/self/status >>"$1"
        """
    with answering(server, b"a server of the host"):
        image = with_archive(client, script, lines).build(STUB, "4")
    code, text = lab.once("redis", image=image["ref"], entrypoint=["cat", f"/srv/{FILE}"])
    assert (code, text) == (0, "CapEff:\t0000000000000000\n"), lines
    assert not [line for line in lines if "without the archive" in line]
    left = client.containers.list(all=True, filters={"label": f"{LABEL_STAGE}={STUB}"})
    assert left == []


@pytest.mark.parametrize(
    ("script", "why"),
    [
        (
            "echo 'java.io.IOException: no room'; for n in {1..20}; do echo '[warning][cds] Skipping'; done; exit 3",
            "archive.sh ended with 3: java.io.IOException: no room",
        ),
        ("exit 1", "archive.sh ended with 1: no output"),
        ("true", f"/tmp/{FILE}"),  # Docker says that it is not there
    ],
)
@pytest.mark.usefixtures("cleaned")
def test_without_an_archive(lab: Lab, client: docker.DockerClient, lines: list[str], script: str, why: str) -> None:
    """An archive that can't be made is reported in one line; the image is made."""
    lab.image("redis")
    image = with_archive(client, script, lines).build(STUB, "5")
    assert lab.once("redis", image=image["ref"], entrypoint=["ls", "/srv"]) == (0, "")
    (told,) = (line for line in lines if "without the archive" in line)
    assert told.startswith(f"{STUB}: made without the archive of its classes, so it starts more slowly: ")
    assert why in told
    assert "\n" not in told


@pytest.mark.usefixtures("cleaned")
def test_an_archive_that_takes_too_long(
    lab: Lab, client: docker.DockerClient, lines: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run without an end is ended, by its container itself: it ends though the build was killed meanwhile."""
    lab.image("redis")
    monkeypatch.setattr("ready.images.class_archive.TIMEOUT", 1)
    with_archive(client, "sleep 600", lines).build(STUB, "6")
    assert any(line.endswith("starts more slowly: archive.sh did not end within 1 s") for line in lines), lines


def test_daemon_gone(lab: Lab, client: docker.DockerClient, lines: list[str], server: socket.socket) -> None:
    """A daemon that hangs up is named, without a traceback."""
    port = port_of(server)
    with answering(server, b""):
        gone = docker.DockerClient(base_url=f"tcp://127.0.0.1:{port}", version="1.41", timeout=5)
        with pytest.raises(BuildError, match=r"Docker daemon stopped answering.*Next: start Docker") as failure:
            builder(gone, "true", lines).build(STUB, "3")
    assert failure.value.kind == "docker daemon gone"


def run_module(name: str) -> tuple[int, str]:
    """Run the module through Ansible's command line."""
    version = DEFINITIONS["redis"]["image"]["version"]
    run = subprocess.run(
        [
            f"{sys.prefix}/bin/ansible", "localhost", "-i", "localhost,", "-c", "local",
            "-e", f"ansible_python_interpreter={sys.executable}",
            "-m", "image_build", "-a", f"name={name} tag={version}",
        ],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    return run.returncode, run.stdout + run.stderr


def test_module_leaves_an_image_alone(lab: Lab) -> None:
    """Through Ansible: an image that is there is not built again."""
    code, text = run_module("redis")
    assert code == 0, text
    assert lab.image("redis") in text
    assert "SUCCESS" in text
    assert "CHANGED" not in text


def test_module_names_an_unknown_image() -> None:
    """Through Ansible: no recipe, no traceback."""
    code, text = run_module("mysql")
    assert code != 0
    assert "no such image recipe" in text
    assert "Traceback" not in text
