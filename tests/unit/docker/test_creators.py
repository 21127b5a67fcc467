"""What every creator of a container asks Docker for: rights, limits, network and mounts, as Docker's API takes them.

`creators.json` has the answers. `python -m tests.unit.docker.test_creators` writes it again: look at the difference.
"""

from __future__ import annotations

import copy
import io
import json
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import docker
import pytest
from docker.errors import NotFound
from ready.backups import scratch_containers
from ready.backups.helper_containers import create_helper
from ready.docker import jobs, replace, state, trial
from ready.docker.create import create
from ready.docker.model_files import Copies
from ready.docker.spec import ContainerSpec
from ready.images import class_archive
from ready.upgrades.service_upgrade import ServiceUpgrade

from tests.unit.conftest import resolved_stack

EXPECTED = Path(__file__).with_name("creators.json")
FILES = {"a.conf": (0o400, b"x")}
LABELS = {"io.ready.stack": "ready"}


class Recorder(docker.APIClient):
    """The SDK's own way to a request's body, and no daemon."""

    def __init__(self) -> None:
        super().__init__(base_url="http://localhost:1", version="1.43")
        self.bodies: list[dict[str, Any]] = []

    def create_container_from_config(self, config: Any, name: str | None = None, platform: str | None = None) -> Any:
        """Keep a body, without what is Docker's own."""
        assert platform is None
        plain = json.loads(json.dumps(config))
        host = {key: value for key, value in plain.pop("HostConfig").items() if value not in (None, [], {})}
        body = {key: value for key, value in plain.items() if value not in (None, {}, False)}
        self.bodies.append({"name": name, **body, "HostConfig": host})
        return {"Id": "made"}

    def inspect_container(self, container: Any) -> Any:
        """Return a container that has ended; there is none by a name."""
        if container != "made":
            raise NotFound(container)
        return {"Id": "made", "Name": "/made", "Image": "sha256:1", "State": {"Status": "exited", "ExitCode": 0}}

    def get_archive(self, container: Any, path: str, *_: Any, **__: Any) -> Any:
        """Return a tar with one file, which is none of those that are written."""
        content = jobs.tar({f"{Path(path).name}/stale": (0o400, b"old")}, "1:1")
        return iter([content]), {"size": 3}

    def __getattribute__(self, name: str) -> Any:
        """Do nothing else."""
        answers = {"wait": {"StatusCode": 0}, "logs": b"", "containers": [], "volumes": {"Volumes": []}}
        if name in {"start", "remove_container", "put_archive", "create_volume", "networks", *answers}:
            return lambda *_, **__: copy.deepcopy(answers.get(name))
        return super().__getattribute__(name)


def client() -> docker.DockerClient:
    """Return a client that records."""
    made = docker.DockerClient(base_url="http://localhost:1", version="1.43")
    made.api = Recorder()
    return made


def scratch_of(client: docker.DockerClient, stack: dict[str, Any], name: str) -> scratch_containers.ScratchService:
    """Return a service's scratch side without what a daemon would say of its container."""
    made = object.__new__(scratch_containers.ScratchService)
    made.service = copy.deepcopy(stack["services"][name]) | {"container": f"ready.x-{name}"}
    made.scratch, made.client, made.name = SimpleNamespace(label="ready.x"), client, name  # type: ignore[assignment]
    made.image, made.transfer, made.container = "sha256:1", "ready.x_transfer", None
    return made


def bodies() -> dict[str, list[dict[str, Any]]]:
    """Return creator -> the bodies of its requests."""
    stack = resolved_stack(ready_services=["postgresql", "neo4j", "redis"])
    found: dict[str, list[dict[str, Any]]] = {}

    def record(name: str, act: Any) -> None:
        recording = client()
        act(recording)
        found[name] = recording.api.bodies  # type: ignore[attr-defined]

    for name, service in stack["services"].items():
        spec = ContainerSpec.from_service(service, "ready", "ready", "sha256:1").made_from(f"ready/{name}:1")
        record(f"service {name}", lambda its, spec=spec: create(its, spec))
        tried = trial.trial_spec(service, spec, "sha256:1")
        record(f"trial {name}", lambda its, tried=tried: create(its, tried))
        move = ServiceUpgrade(None, stack, {"service": name, "before": {"id": "sha256:1"}}, 1.0)  # type: ignore[arg-type]

        def moved(its: Any, move: ServiceUpgrade = move) -> None:
            move.client = its
            with move.scratch("new", "sha256:2", env={"A": "1"}):
                pass
            with move.scratch("own", "sha256:2", data={"other": "/data"}, sockets="socks", command=["x"]):
                pass
            move._copy("from", "to")

        record(f"move {name}", moved)
        record(f"scratch {name}", lambda its, name=name: scratch_of(its, stack, name).create())
    record(
        "scratch with more",
        lambda its: scratch_of(its, stack, "redis").create(["--x"], {"A": "1"}, {"/more": "another"}),
    )
    for network in ("ready", "host", "none"):
        job = jobs.Job("test_app", "sha256:1", ["pytest"], 30, network=network, environment={"A": "1"}, workdir="/app")
        record(f"job in {network}", lambda its, job=job: jobs.run(its, "ready", job))

    def copies(its: Any) -> None:
        service = {"name": "ai", "volumes": [{"name": "ready_ai_models", "path": "/models", "holds": "copies"}]}
        with Copies(its, "ready", service, "sha256:1")._helper(["true"]):
            pass

    record("copies of models", copies)
    record("write_volume", lambda its: state.write_volume(its, "sha256:1", "vol", "1:2", FILES, LABELS))
    record("run_once", lambda its: state.run_once(its, "sha256:1", ["redis-server", "--version"], LABELS))
    record("files of before", lambda its: replace._read_volume(its, "sha256:1", "vol", "ready"))
    record("helper of root", lambda its: create_helper(its, "sha256:1", ["cp"], {"/from": "a", "/to": "b"}, "ready"))
    record(
        "helper of a user",
        lambda its: create_helper(its, "sha256:1", ["x"], {"/d": "a"}, "ready", "7:7", memory=2**30, stdin=True),
    )
    record("class archive", lambda its: class_archive.make_class_archive(its, "sha256:1", "true", LABELS, io.BytesIO()))
    return found


@pytest.fixture(scope="module")
def asked() -> dict[str, list[dict[str, Any]]]:
    """Return what all of them ask for."""
    return bodies()


@pytest.mark.parametrize("creator", sorted(json.loads(EXPECTED.read_text())) if EXPECTED.exists() else [])
def test_it_asks_for_no_more(asked: dict[str, Any], creator: str) -> None:
    """Nor for less."""
    assert asked[creator] == json.loads(EXPECTED.read_text())[creator]


if __name__ == "__main__":
    EXPECTED.write_text(json.dumps(bodies(), indent=1, sort_keys=True) + "\n")
    sys.exit(0)
