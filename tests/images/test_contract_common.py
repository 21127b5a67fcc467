# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What every image promises; a line of the tables in docs/images.md each."""

from __future__ import annotations

import re
import tarfile
import tempfile
from functools import cache
from typing import Any, cast

import docker
import pytest
from ready.images.recipe import read_recipe

from tests.images.lab import ROOT, Lab, line_of

NAMES = ("postgresql", "neo4j", "chromadb", "redis", "gateway", "ai")
CONFIG: dict[str, dict[str, Any]] = {
    "postgresql": {
        "Entrypoint": ["docker-entrypoint.sh"],
        "Cmd": ["postgres"],
        "ExposedPorts": {"5432/tcp": {}},
        "Volumes": {"/var/lib/postgresql/data": {}},
        "User": "70:70",
        "StopSignal": "SIGINT",
        "Env": {"PGDATA=/var/lib/postgresql/data", f"PG_MAJOR={line_of('postgresql')}"},
    },
    "neo4j": {
        "Entrypoint": ["tini", "-g", "--", "/startup/docker-entrypoint.sh"],
        "Cmd": ["neo4j"],
        "ExposedPorts": {"7474/tcp": {}, "7473/tcp": {}, "7687/tcp": {}},
        "Volumes": {"/data": {}, "/logs": {}},
        "User": "7474:7474",
        "StopSignal": None,
        "WorkingDir": "/var/lib/neo4j",
        "Env": {"NEO4J_HOME=/var/lib/neo4j", "NEO4J_EDITION=community", "LANG=C.UTF-8"},
    },
    "chromadb": {
        "Entrypoint": ["tini", "--", "chroma"],
        "Cmd": ["run", "/config.yaml"],
        "ExposedPorts": {"8000/tcp": {}},
        "Volumes": {"/data": {}},
        "User": "10001:10001",
        "StopSignal": None,
        "Env": set(),
    },
    "redis": {
        "Entrypoint": ["docker-entrypoint.sh"],
        "Cmd": ["redis-server"],
        "ExposedPorts": {"6379/tcp": {}},
        "Volumes": {"/data": {}},
        "User": "999:1000",
        "StopSignal": None,
        "WorkingDir": "/data",
        "Env": set(),
    },
    "gateway": {
        "Entrypoint": ["docker-entrypoint.sh"],
        "Cmd": ["haproxy", "-f", "/usr/local/etc/haproxy/haproxy.cfg"],
        "ExposedPorts": None,
        "Volumes": None,
        "User": "99:99",
        "StopSignal": "SIGUSR1",
        "WorkingDir": "/var/lib/haproxy",
        "Env": set(),
    },
    "ai": {
        "Entrypoint": ["tini", "--"],
        "Cmd": ["ready-ai", "/run/ready/ai.json"],
        "ExposedPorts": {"8080/tcp": {}, "8081/tcp": {}, "8082/tcp": {}},
        "Volumes": None,
        "User": "10002:10002",
        "StopSignal": None,
        "Env": {"GGML_NO_BACKTRACE=1"},
    },
}
MEGABYTES = {"postgresql": 380, "neo4j": 600, "chromadb": 180, "redis": 95, "gateway": 92, "ai": 295}
#: Of other release lines, where those grew.
LINE_MEGABYTES = {("postgresql", "17"): 415}


@cache
def members(lab: Lab, name: str) -> dict[str, tarfile.TarInfo]:
    """Return every path of an image."""
    container = lab.client.containers.create(lab.image(name))
    try:
        with tempfile.TemporaryFile() as stream:
            for chunk in container.export():
                stream.write(cast("bytes", chunk))
            stream.seek(0)
            with tarfile.open(fileobj=stream) as archive:
                return {member.name: member for member in archive}
    finally:
        container.remove(v=True)


@pytest.mark.parametrize("name", NAMES)
def test_image_config(lab: Lab, name: str) -> None:
    """Entrypoint, command, ports, volumes, user, stop signal, working directory and environment."""
    config = lab.client.images.get(lab.image(name)).attrs["Config"]
    expected = dict(CONFIG[name])
    assert expected.pop("Env") <= set(config["Env"])
    assert {key: config.get(key) or None for key in expected} == expected


@pytest.mark.parametrize("name", NAMES)
def test_labels(lab: Lab, name: str) -> None:
    """The image says what it is and which recipe made it."""
    labels = lab.client.images.get(lab.image(name)).labels
    assert labels["io.ready.image"] == labels["io.ready.service"] == name
    assert labels["io.ready.source"] == "build"
    assert re.fullmatch(r"[0-9a-f]{64}", labels["io.ready.recipe"])
    assert re.fullmatch(r"\d+(\.\d+)+", labels["io.ready.engine_version"])


@pytest.mark.parametrize("name", NAMES)
def test_nothing_of_the_build_is_left(lab: Lab, name: str) -> None:
    """No package cache, no apt sources, no pip or Maven settings, no CA of the host."""
    paths = members(lab, name)
    left = [
        path
        for path, member in paths.items()
        if path.startswith(("build", "out/", "usr/local/share/ca-certificates/", "root/.m2", "root/.cache"))
        or (path.startswith(("var/lib/apt/lists/", "var/cache/", "etc/apt/sources.list")) and member.isfile())
        or path.endswith(("pip.conf", "maven-settings.xml", "auth.conf"))
        or re.search(r"(^|/)(mvn|pip3?)$", path)
    ]
    assert left == []


@pytest.mark.parametrize(
    ("name", "service"), [("postgresql", "postgresql"), ("redis", "redis-server"), ("gateway", "haproxy")]
)
def test_packages_start_no_service(lab: Lab, name: str, service: str) -> None:
    """A package that is installed in a build step does not start its server there, on the host's network."""
    script = f"invoke-rc.d {service} start 2>&1; tail -n +2 /proc/net/tcp"
    code, text = lab.once(name, entrypoint=["sh", "-c", script], user="0", network_mode="none")
    assert code == 0
    assert text.splitlines()[-1].endswith("Defaulting to block.")


@pytest.mark.parametrize("name", NAMES)
def test_no_program_gives_rights(lab: Lab, name: str) -> None:
    """No setuid or setgid program."""
    assert [path for path, member in members(lab, name).items() if member.isfile() and member.mode & 0o6000] == []


@pytest.mark.parametrize("name", NAMES)
def test_packages_are_recorded(lab: Lab, name: str) -> None:
    """/usr/share/ready/packages.txt lists each Debian package with its version."""
    code, text = lab.once(name, entrypoint=["cat", "/usr/share/ready/packages.txt"])
    packages = dict(line.split("\t") for line in text.splitlines())
    wanted = {
        "postgresql": f"postgresql-{line_of('postgresql')}",
        "neo4j": "openjdk-17-jre-headless:amd64",
        "redis": "redis-server",
        "gateway": "haproxy",
    }
    assert code == 0
    assert wanted.get(name, "python3-minimal").partition(":")[0] in {key.partition(":")[0] for key in packages}
    assert packages["tini"]


@pytest.mark.parametrize("name", NAMES)
def test_size(lab: Lab, name: str) -> None:
    """An image does not grow unnoticed."""
    limit = LINE_MEGABYTES.get((name, line_of(name)), MEGABYTES[name])
    assert lab.client.images.get(lab.image(name)).attrs["Size"] < limit * 10**6


@pytest.mark.parametrize("name", NAMES)
def test_history_holds_no_settings(lab: Lab, client: docker.DockerClient, name: str) -> None:
    """No layer of the final image ever held the host's settings, and no step of it ran with them."""
    steps = [str(layer["CreatedBy"]) for layer in client.images.get(lab.image(name)).history()]
    assert not [step for step in steps if re.search(r"(?<!ha)proxy|/build|host/", step, re.IGNORECASE)]
    containerfile = read_recipe(ROOT / "images", name, line_of(name))[f"{name}/Containerfile"].decode()
    final = containerfile[containerfile.rindex("\nFROM ") :]
    assert not re.search(r"^(RUN|ADD)|host/|shared/", final, re.MULTILINE)
