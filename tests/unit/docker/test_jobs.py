"""Jobs beside a stack: what their containers may do, which settings they get, and what becomes of one that was left."""

from __future__ import annotations

import io
import tarfile
from typing import Any, cast

import pytest
from ready.applications import job_settings as jobsettings
from ready.applications.job_settings import beyond, job_settings, with_database
from ready.docker import jobs
from ready.docker.jobs import Job, tar
from ready.docker.removal_plan import prunable, removal

from tests.unit.conftest import resolved_stack

JOB = Job("test_app", "sha256:1", ["pytest", "-q"], 30, network="ready", files={"job.json": (0o400, b"s3cret")})


def members(content: bytes) -> dict[str, tuple[int, int, bool]]:
    """Return path -> (mode, uid, is a directory)."""
    with tarfile.open(fileobj=io.BytesIO(content)) as archive:
        return {its.name: (its.mode, its.uid, its.isdir()) for its in archive}


def test_a_container_has_no_rights_and_an_end() -> None:
    """Limits for everything, no secret where Docker shows it, and a command that ends by itself."""
    spec = jobs._spec("shop", JOB)
    container, host = spec.arguments()
    assert host["cap_drop"] == ["ALL"]
    assert host["security_opt"] == ["no-new-privileges:true"]
    assert container["user"] == "10003:10003"
    assert host["mem_limit"] == host["memswap_limit"] > 0
    assert host["pids_limit"] > 0
    assert host["nano_cpus"] > 0
    assert container["labels"] == {"io.ready.stack": "shop", "io.ready.job": "test_app"}
    assert container["name"] == "shop-test-app"
    assert host["restart_policy"] == {"Name": "no"}
    assert "s3cret" not in repr(spec)
    assert jobs._command(JOB) == ["timeout", "--signal=TERM", "--kill-after=10", "30", "pytest", "-q"]


def test_tar_has_the_owner_and_the_directories_between() -> None:
    """Below a directory of which nothing is said."""
    content = tar({"a/b/c": (0o400, b"x"), "out": (0o700, None)}, "10003:10003", "run/ready/")
    assert members(content) == {
        "run/ready/a": (0o755, 10003, True),
        "run/ready/a/b": (0o755, 10003, True),
        "run/ready/a/b/c": (0o400, 10003, False),
        "run/ready/out": (0o700, 10003, True),
    }


class Ended:
    """A container as Docker's SDK has it, ended with files in it."""

    def __init__(self, files: dict[str, tuple[int, bytes]]) -> None:
        self.files = files

    def get_archive(self, path: str) -> tuple[Any, dict[str, Any]]:
        """Answer with a tar of the file."""
        from docker.errors import NotFound

        name = path.removeprefix(f"{jobs.OUT}/")
        if name not in self.files:
            raise NotFound("no such file")
        size, content = self.files[name]
        return iter([tar({name: (0o600, content)}, "1:1")]), {"size": size}


def test_results_are_bounded_and_their_lack_is_told() -> None:
    """What a container writes may be of any size."""
    container = Ended({"a.json": (2, b"{}"), "b.json": (jobs.RESULT_BYTES + 1, b"")})
    found, faults = jobs._results(cast("Any", container), ["a.json", "b.json", "c.json"])
    assert found == {"a.json": b"{}"}
    assert [fault.partition(":")[0] for fault in faults] == ["b.json", "c.json"]


SECRETS = {
    "postgresql": {"app": "p@ss/word", "admin": "admin-password"},
    "neo4j": {"app": "neo-password"},
    "redis": {"app": "red-password"},
}


@pytest.fixture
def containers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the containers hold these passwords, and an authority."""
    monkeypatch.setattr(jobsettings, "read_secrets", lambda *_: dict(SECRETS))
    monkeypatch.setattr(jobsettings, "read_authorities", lambda *_: {"redis": "PEM"})


def test_settings_are_those_of_a_container(containers: None) -> None:
    """By containers' names and own ports; certificates lie where they are named."""
    stack = resolved_stack(redis_tls={"enabled": True})
    stack["services"]["redis"]["tls"]["enabled"] = True
    its = job_settings(cast("Any", None), stack)
    assert its.values["PGHOST"] == "ready-postgresql"
    assert its.values["PGPORT"] == "5432"
    assert its.values["REDIS_URL"].startswith("rediss://")
    assert "/etc/ready/redis.crt" in its.values.values()
    assert its.files == {"redis.crt": (0o444, b"PEM")}
    assert "admin-password" in its.secrets
    assert "admin-password" not in its.values.values()


def test_another_database(containers: None) -> None:
    """The URL and libpq's variable agree, and no further database is named."""
    values = job_settings(cast("Any", None), resolved_stack()).values | {"DATABASE_URL_REPORTS": "postgresql://x"}
    found = with_database(values, "ready_frameworks")
    assert found["DATABASE_URL"].endswith("@ready-postgresql:5432/ready_frameworks")
    assert "p%40ss%2Fword" in found["DATABASE_URL"]
    assert found["PGDATABASE"] == "ready_frameworks"
    assert "DATABASE_URL_REPORTS" not in found
    assert with_database({"REDIS_URL": "redis://x"}, "y") == {"REDIS_URL": "redis://x"}


@pytest.mark.parametrize(
    ("address", "reached"),
    [
        ("http://127.0.0.1:11434/v1", False),
        ("http://localhost:11434/v1", False),
        ("http://[::1]:1/v1", False),
        ("http://172.17.0.1:11434/v1", True),
        ("https://api.openai.com/v1", True),
    ],
)
def test_the_hosts_loopback_is_out_of_reach(address: str, reached: bool) -> None:
    """A container's loopback is another one."""
    assert (beyond({"name": "ai", "base_url": address}) == "") is reached


def state(**more: Any) -> dict[str, Any]:
    """Return the state of a stack of which nothing but a job's container is left."""
    nothing = {"exists": False, "ours": False}
    return {"services": {}, "volumes": {}, "network": nothing, "others": [], "jobs": ["ready-frameworks"], **more}


def test_destroy_removes_what_a_job_left() -> None:
    """It is shown before."""
    its = removal(state(), resolved_stack(), {}, volumes=False)
    assert its["containers"] == ["ready-frameworks"]
    assert "container ready-frameworks" in its["lines"]


def test_prune_removes_what_a_job_left() -> None:
    """Of this stack alone: prune has its lock, so no run is under way."""
    listed = [
        {
            "ImageID": "x",
            "Names": [f"/{name}-frameworks"],
            "Labels": {"io.ready.stack": name, "io.ready.job": "frameworks"},
        }
        for name in ("ready", "other")
    ]
    its = prunable({"containers": listed, "images": []}, resolved_stack(), state())
    assert its["containers"] == ["ready-frameworks"]
