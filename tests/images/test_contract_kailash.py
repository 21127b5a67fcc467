# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The image that frameworks and applications' tests run in, by jobs as the verbs make them (docs/images.md)."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import docker
import pytest
from ready.docker.jobs import FRAMEWORKS, Files, Job, Outcome, remove_leftovers, run
from ready.images.job_images import TOOLS

from tests.images.lab import ROOT, Lab
from tests.names import own

STACK = own("contract-kailash")
LOCK = ROOT / "images" / "kailash" / "requirements.txt"
#: Prints what a process may do, and what it finds.
STATUS = """
import json, os, pathlib
lines = pathlib.Path("/proc/self/status").read_text().splitlines()
status = dict(line.split(":\\t", 1) for line in lines if ":\\t" in line)
settings = pathlib.Path("/run/ready/job.json")
found = {
    "uid": status["Uid"].split()[0], "caps": status["CapEff"], "bounding": status["CapBnd"],
    "new": status["NoNewPrivs"], "interfaces": sorted(os.listdir("/sys/class/net")), "environment": dict(os.environ),
    "first": pathlib.Path("/proc/1/comm").read_text().strip(), "mode": oct(settings.stat().st_mode & 0o777),
    "settings": settings.read_text(),
}
try:
    pathlib.Path("/usr/local/x").write_text("")
    found["root"] = "writable"
except PermissionError:
    found["root"] = "refused"
pathlib.Path("/run/ready/out/found.json").write_text(json.dumps(found))
"""
#: Prints versions and where bytecode came from.
PACKAGES = """
import importlib.metadata, json, pathlib, sys
import kailash, dataflow, nexus, kailash_mcp, mcp, pytest, psycopg2, asyncpg, neo4j, chromadb, redis, openai
found = {its.metadata["Name"].lower().replace("_", "-"): its.version for its in importlib.metadata.distributions()}
bare = [name for name, its in sys.modules.items() if str(getattr(its, "__file__", "")).endswith(".py")
        and "dist-packages" in its.__file__ and its.__cached__ and not pathlib.Path(its.__cached__).exists()]
pathlib.Path("/run/ready/out/found.json").write_text(json.dumps({"packages": found, "bare": bare}))
"""
FURTHER = """
set -e
python3 -m venv --system-site-packages /work/venv
mkdir -p /work/src/further && cd /work/src
echo 'ANSWER = 42' > further/__init__.py
cat > pyproject.toml <<'END'
[project]
name = "further"
version = "1"
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
END
cat > backend.py <<'END'
import zipfile
def build_wheel(directory, config_settings=None, metadata_directory=None):
    name = "further-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{directory}/{name}", "w") as wheel:
        wheel.write("further/__init__.py")
        wheel.writestr("further-1.dist-info/METADATA", "Metadata-Version: 2.1\\nName: further\\nVersion: 1\\n")
        wheel.writestr("further-1.dist-info/WHEEL", "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n")
        wheel.writestr("further-1.dist-info/RECORD", "")
    return name
END
/work/venv/bin/python -m pip install -q --no-index /work/src
cd /
/work/venv/bin/python -c 'import further, kailash, pytest; print(further.ANSWER)' > /run/ready/out/found.json
"""


@pytest.fixture(scope="module", autouse=True)
def _clean(client: docker.DockerClient) -> Iterator[None]:
    """Remove a container that is left."""
    yield
    remove_leftovers(client, STACK)


def done(
    client: docker.DockerClient, lab: Lab, command: list[str], files: Files | None = None, seconds: float = 120
) -> Outcome:
    """Run a job without a network."""
    job = Job(FRAMEWORKS, lab.image("kailash"), command, seconds, files=files or {}, results=["found.json"])
    return run(client, STACK, job)


def test_kailash_hardened(client: docker.DockerClient, lab: Lab) -> None:
    """Runs as 10003 without rights, without a network; secrets are in a separate file, and the container is gone."""
    ran = done(client, lab, ["python3", "-c", STATUS], {"job.json": (0o400, b"s3cret")})
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.results["found.json"])
    assert (found["uid"], int(found["caps"], 16), int(found["bounding"], 16), found["new"]) == ("10003", 0, 0, "1")
    assert (found["first"], found["mode"], found["settings"]) == ("tini", "0o400", "s3cret")
    assert found["interfaces"] == ["lo"]
    assert found["root"] == "refused"
    assert "s3cret" not in json.dumps(found["environment"])
    assert client.containers.list(all=True, filters={"label": [f"io.ready.stack={STACK}"]}) == []


def test_kailash_packages(client: docker.DockerClient, lab: Lab) -> None:
    """Every package of the lock in that version, compiled."""
    ran = done(client, lab, ["python3", "-c", PACKAGES])
    assert ran.exit_code == 0, ran.output
    found = json.loads(ran.results["found.json"])
    locked = dict(re.findall(r"(?m)^([A-Za-z0-9_.-]+)(?:\[[a-z,]+\])?==([^ ;\\]+)", LOCK.read_text(encoding="utf-8")))
    assert {name: found["packages"].get(name) for name in locked} == locked
    assert found["bare"] == []
    assert locked["kailash"] == TOOLS["kailash"]


def test_kailash_takes_further_packages(client: docker.DockerClient, lab: Lab) -> None:
    """An environment on top sees the image's packages, and installs others."""
    ran = done(client, lab, ["sh", "-c", FURTHER])
    assert ran.results.get("found.json") == b"42\n", ran.output


def test_kailash_ends_what_does_not_end(client: docker.DockerClient, lab: Lab) -> None:
    """A command that ignores SIGTERM is killed; what it wrote before is there."""
    script = "trap '' TERM; echo 1 > /run/ready/out/found.json; while :; do sleep 1; done"
    ran = done(client, lab, ["sh", "-c", script], seconds=3)
    assert ran.timed_out
    assert ran.results["found.json"] == b"1\n"
