# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""When the container of before comes back, when not, and what is said of it."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ready.common.labels import LABEL_CONFIG, LABEL_REPLACED, LABEL_SERVICE, LABEL_STACK
from ready.docker import apply, replace
from ready.docker.plan import leftovers, make_plan, may_come_back
from ready.docker.replace import Replacing, keep_files
from ready.docker.rollback_decision import recovers, stays
from ready.docker.spec import ContainerSpec, files_copy
from ready.docker.start_failures import unhealthy_message
from ready.docker.wait import Readiness

from tests.unit.conftest import resolved_stack
from tests.unit.docker.test_plan import IMAGES, running

POSTGRESQL = [
    "LOG:  database system was not properly shut down; automatic recovery in progress",
    "LOG:  redo starts at 0/15A3B48",
    "LOG:  redo in progress, elapsed time: 110.00 s, current LSN: 0/9A3B48",
]


def outcome(**changes: Any) -> dict[str, Any]:
    """Return how a wait ended that did not end well."""
    return vars(Readiness("redis", state="unhealthy", seconds=60.0)) | changes


@pytest.mark.parametrize(
    ("state", "logs", "detail", "expected"),
    [
        ("unhealthy", POSTGRESQL, "", True),
        ("unhealthy", [*POSTGRESQL, "LOG:  database system is ready to accept connections"], "", False),
        ("exited", POSTGRESQL, "", False),
        ("unhealthy", ["Loading RDB produced by version 7.0.15"], "", True),
        ("unhealthy", ["Loading RDB produced by version 7.0.15", "Ready to accept connections"], "", False),
        ("unhealthy", [], "neo4j answered: Neo.TransientError.General.DatabaseUnavailable", True),
        ("unhealthy", ["FATAL:  the database system is starting up"], "", True),
        ("unhealthy", [], "LOADING Redis is loading the dataset in memory", True),
        ("unhealthy", ["Bad directive", "Error loading the configuration"], "", False),
        ("unhealthy", [], "", False),
    ],
)
def test_who_recovers(state: str, logs: list[str], detail: str, expected: bool) -> None:
    """A store that runs and says so, until it says that it has done."""
    assert recovers(outcome(state=state, logs=logs, detail=detail)) is expected


@pytest.mark.parametrize("fell", [{"restarts": 1}, {"oom_killed": True}])
def test_a_store_that_was_killed_while_it_recovered(fell: dict[str, Any]) -> None:
    """It will be killed again: the container of before comes back, and the message says what happened."""
    killed = outcome(logs=["Loading RDB produced by version 7.0.15"], **fell)
    assert not recovers(killed)
    assert stays(killed) == ""
    said = message(**killed, replaced={"back": True, "healthy": True, "left": ""})
    assert "left alone" not in said
    assert ("Docker has restarted it once" if "restarts" in fell else "killed for lack of memory") in said


def test_what_stays_as_it_is() -> None:
    """Not back once accounts are set, nor while the store recovers; else back."""
    assert stays(outcome(reconciled=True)) == "accounts"
    assert stays(outcome(logs=POSTGRESQL)) == "recovers"
    assert stays(outcome()) == ""


CLEAR = Replacing.clear


class Docker:
    """Containers by name, each "running" or not, and in which order things happened to them."""

    def __init__(self, *names: str) -> None:
        self.running = dict.fromkeys(names, True)
        self.steps: list[str] = []
        self.health = "starting"
        self.copies: list[Any] = []  # volumes with files of before
        self.refuses: list[str] = []  # each of these once

    def get(self, name: str) -> Any:
        """Return a container."""
        return Item(self, name)

    def list(self, **_: Any) -> list[Any]:
        """Return all containers."""
        return [Item(self, name) for name in self.running]

    def find(self, _: object, name: str) -> Any:
        """Return a container, if there is one."""
        return Item(self, name) if name in self.running else None

    def create(self, _: object, spec: ContainerSpec) -> Any:
        """Create one, unless Docker does not like it."""
        self._do("create", spec.name)
        self.running[spec.name] = False
        return Item(self, spec.name)

    def _do(self, step: str, name: str) -> None:
        self.steps.append(f"{step} {name}")
        if f"{step} {name}" in self.refuses:
            self.refuses.remove(f"{step} {name}")
            raise OSError(f"{step} is refused")
        assert sum(self.running.values()) <= 1, "two containers on one data volume"


class Item:
    """One of them."""

    def __init__(self, docker: Docker, name: str) -> None:
        self.docker, self.name = docker, name
        self.labels = {LABEL_STACK: "ready", LABEL_SERVICE: "redis"}
        self.attrs = {"Image": "sha256:redis", "Config": {"StopTimeout": 1}}
        self.attrs["State"] = {"Health": {"Status": docker.health}}

    @property
    def status(self) -> str:
        """Return Docker's word."""
        return "running" if self.docker.running[self.name] else "exited"

    def rename(self, name: str) -> None:
        """Take another name."""
        self.docker._do("rename", self.name)
        self.docker.running[name] = self.docker.running.pop(self.name)
        self.name = name

    def stop(self, timeout: int) -> None:
        """End it."""
        assert timeout
        self.docker.running[self.name] = False
        self.docker._do("stop", self.name)

    def start(self) -> None:
        """Run it."""
        self.docker._do("start", self.name)
        self.docker.running[self.name] = True
        self.docker._do("started", self.name)

    def remove(self, **_: Any) -> None:
        """Remove it."""
        assert not self.docker.running[self.name]
        del self.docker.running[self.name]


@pytest.fixture
def docker(monkeypatch: pytest.MonkeyPatch) -> Docker:
    """Return a Docker in which Redis runs, whose files have not changed."""
    found = Docker("ready-redis")
    for place in (apply, replace):
        monkeypatch.setattr(place, "find_container", found.find)
        monkeypatch.setattr(place, "create", found.create)
    monkeypatch.setattr(Replacing, "_copy", lambda *_: None)
    monkeypatch.setattr(Replacing, "clear", lambda _: ([], []))
    monkeypatch.setattr(apply, "remove_leftovers", lambda *_: [])
    return found


def client(docker: Docker) -> Any:
    """Return what has its containers."""
    volumes = SimpleNamespace(list=lambda **_: docker.copies)
    return SimpleNamespace(containers=docker, volumes=volumes)


def made(docker: Docker, action: str = "recreate") -> apply.Making:
    """Replace Redis, and return what was done."""
    service = resolved_stack()["services"]["redis"]
    specs = {"redis": ContainerSpec.from_service(service, "ready", "ready", "sha256:redis")}
    redis = [{"service": "redis", "action": action}] if action != "none" else []
    return apply.make(client(docker), "pc1", "ready", None, redis, specs, ["redis"])


def finished(docker: Docker, monkeypatch: pytest.MonkeyPatch, **changes: Any) -> dict[str, Any]:
    """Replace Redis by something that becomes what `changes` say, and return what became of it."""
    assert made(docker).faults == []
    monkeypatch.setattr(Replacing, "wait", lambda _, names, __: {name: {"healthy": True} for name in names})
    specs = {"redis": ContainerSpec(name="ready-redis", stop_timeout=60)}
    return Replacing(client(docker), "ready", specs, ["redis"]).finish({"redis": outcome(**changes)}, {"redis": 60})


def test_something_healthy_replaces_it(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    """The old one is stopped before the new one starts, and goes."""
    assert finished(docker, monkeypatch, healthy=True) == {}
    assert docker.running == {"ready-redis": True}
    assert docker.steps.index("stop ready-redis-replaced") < docker.steps.index("start ready-redis")


def test_it_comes_back(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> None:
    """What did not become healthy is stopped and removed before the old one starts."""
    assert finished(docker, monkeypatch) == {"redis": {"back": True, "healthy": True, "left": ""}}
    assert docker.running == {"ready-redis": True}
    assert docker.steps[-3:] == ["rename ready-redis-replaced", "start ready-redis", "started ready-redis"]


@pytest.mark.parametrize(("changes", "left"), [({"reconciled": True}, "accounts"), ({"logs": POSTGRESQL}, "recovers")])
def test_it_does_not_come_back(
    docker: Docker, monkeypatch: pytest.MonkeyPatch, changes: dict[str, Any], left: str
) -> None:
    """Nothing is stopped: the new one is left alone, and what could have come back goes."""
    assert finished(docker, monkeypatch, **changes)["redis"] == {"back": False, "healthy": False, "left": left}
    assert docker.running == {"ready-redis": True}
    assert docker.steps[-2:] == ["started ready-redis", "stop ready-redis-replaced"]


@pytest.mark.parametrize("step", ["create ready-redis", "start ready-redis"])
def test_what_docker_refuses(docker: Docker, step: str) -> None:
    """The container of before is back at once; one that Docker did not even create has stopped nothing."""
    docker.refuses = [step]
    found = made(docker)
    assert docker.running == {"ready-redis": True}
    assert "is refused" in found.faults[0]
    assert "are again those of before" in found.faults[1]
    assert ("stop ready-redis-replaced" in docker.steps) == (step == "start ready-redis")


def test_what_is_kept() -> None:
    """A container that does its work, with files that are known; nothing when nothing is replaced."""
    state = running(resolved_stack())
    have = state["services"]["redis"]
    have["config"]["labels"][LABEL_CONFIG] = have["files_hash"] = "old"
    changed = resolved_stack(redis_memory="300m")
    assert make_plan(resolved_stack(), running(resolved_stack()), IMAGES)["kept"] == []
    assert make_plan(changed, state, IMAGES)["kept"] == ["redis"]
    for other in ({"health": "unhealthy"}, {"status": "paused"}, {"files_hash": "edited"}):
        bad = {**state, "services": {**state["services"], "redis": {**have, **other}}}
        assert make_plan(changed, bad, IMAGES)["kept"] == [], other


def test_what_a_killed_run_left() -> None:
    """The next one deals with it; its port is ours."""
    stack = resolved_stack(ready_services=["redis"])
    state = running(stack)
    state["others"] = [{"name": "ready-redis-replaced", "service": "redis", "status": "running", "leftover": True}]
    state["volumes"]["ready_redis_config_replaced"] = {
        "exists": True,
        "ours": True,
        "service": "redis",
        "labels": {LABEL_STACK: "ready", LABEL_REPLACED: "redis"},
    }
    assert leftovers(state) == ["ready-redis-replaced", "ready_redis_config_replaced"]


@pytest.fixture
def killed(docker: Docker, monkeypatch: pytest.MonkeyPatch) -> Docker:
    """Return a Docker in which a run was killed that replaced Redis: its container has another name, and a copy."""
    monkeypatch.setattr(Replacing, "clear", CLEAR)
    copy = SimpleNamespace(attrs={"Labels": {LABEL_REPLACED: "redis"}}, remove=lambda: docker.copies.clear())
    docker.copies.append(copy)
    docker.running = {"ready-redis-replaced": True}
    return docker


def test_killed_before_the_new_one_was_made(killed: Docker) -> None:
    """The old one has its name again, and is replaced as one that may come back, with its files."""
    killed.refuses = ["start ready-redis"]
    assert "is refused" in made(killed, "create").faults[0]
    assert killed.running == {"ready-redis": True}
    assert killed.copies
    assert "stop ready-redis-replaced" in killed.steps, "it was kept until the new one failed"


def test_killed_before_the_new_one_was_started(killed: Docker) -> None:
    """The old one still runs, so the new one is not started beside it."""
    killed.running["ready-redis"] = False
    assert made(killed, "start").faults == []
    assert killed.running == {"ready-redis-replaced": False, "ready-redis": True}
    assert killed.copies


@pytest.mark.parametrize("action", ["none", "recreate"])
def test_killed_before_the_new_one_was_healthy(killed: Docker, action: str) -> None:
    """The old one stays until something healthy has taken its place; the new one is not stopped if it need not be."""
    killed.running = {"ready-redis-replaced": False, "ready-redis": True}
    assert made(killed, action).faults == []
    assert killed.running == {"ready-redis-replaced": False, "ready-redis": True}
    assert killed.copies
    assert ("stop ready-redis" in killed.steps) == (action == "recreate")


def test_killed_after_the_new_one_was_healthy(killed: Docker) -> None:
    """The old one goes: if the next change fails, what comes back is what has been healthy last."""
    killed.running, killed.health = {"ready-redis-replaced": False, "ready-redis": True}, "healthy"
    killed.refuses = ["create ready-redis"]
    assert "is refused" in made(killed).faults[0]
    assert killed.running == {"ready-redis": True}
    assert "stop ready-redis" not in killed.steps
    assert killed.copies == []


def test_a_killed_run_is_planned_for() -> None:
    """What it was replacing may come back until the new one is healthy, whatever is to be done."""
    stack = resolved_stack(ready_services=["redis"])
    state = running(stack)
    state["others"] = [{"name": "ready-redis-replaced", "service": "redis", "status": "exited", "leftover": True}]
    have = state["services"]["redis"]
    assert make_plan(stack, state, IMAGES)["kept"] == []
    for health in ("unhealthy", "starting"):
        have["health"] = health
        plan = make_plan(stack, state, IMAGES)
        assert (plan["kept"], plan["containers"], list(plan["specs"])) == (["redis"], [], ["redis"])
        assert plan["lines"] == ["keep ready-redis-replaced until redis is healthy: an interrupted run left it behind"]
    state["services"]["redis"] = {"exists": False, "ours": False, "running": False}
    plan = make_plan(stack, state, IMAGES)
    assert (plan["actions"], plan["kept"]) == ({"redis": "create"}, ["redis"])


def test_whose_files_are_copied_after_a_killed_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """Those of the container that may come back: what its failed successor runs with must not take their place."""
    labels = {"ready-redis": "failed", "ready-redis-replaced": "worked"}
    monkeypatch.setattr(replace, "find_container", lambda _, name: SimpleNamespace(labels={LABEL_CONFIG: labels[name]}))
    monkeypatch.setattr(replace, "read_files", lambda _: [])
    monkeypatch.setattr(replace, "read_fingerprints", lambda *_: {"files_hash": "failed"})
    keep_files(None, "ready", {"name": "redis", "container": "ready-redis"})  # type: ignore[arg-type]


@pytest.mark.parametrize(("label", "copied"), [("every", True), ("fixed", True), ("another", False), (None, False)])
def test_the_files_of_a_container_of_an_earlier_ready(
    monkeypatch: pytest.MonkeyPatch, label: str | None, copied: bool
) -> None:
    """Its label names all files, also those that a gateway takes over today; without a copy there is no way back."""
    hashes = {"files_hash": "fixed", "reload_hash": "keys", "every_hash": "every"}
    found = SimpleNamespace(labels={LABEL_CONFIG: label} if label else {}, attrs={"Image": "sha256:1"})
    written: list[str] = []
    monkeypatch.setattr(replace, "find_container", lambda _, name: None if name.endswith("-replaced") else found)
    monkeypatch.setattr(replace, "read_files", lambda _: [])
    monkeypatch.setattr(replace, "read_fingerprints", lambda *_: hashes)
    monkeypatch.setattr(replace, "write_volume", lambda *arguments: written.append(arguments[2]))
    client: Any = SimpleNamespace(volumes=SimpleNamespace(create=lambda *_, **__: None))
    stack = resolved_stack(ready_services=["chromadb", "gateway"])
    service = stack["services"]["gateway"]
    keep_files(client, "ready", service)
    assert written == [files_copy(service["config_volume"])] * copied
    state = running(stack)
    have = state["services"]["gateway"]
    have.update(hashes)
    have["config"]["labels"][LABEL_CONFIG] = label
    assert may_come_back(stack, state, "gateway", "recreate") is copied


def message(**changes: Any) -> str:
    """Return what is said of Redis."""
    return unhealthy_message("pc1", resolved_stack(), {"redis": outcome(**changes)})


def test_what_a_running_store_refuses() -> None:
    """The reason and its next step, once each, and no line of a log that says the same; it is no recovery."""
    why = "postgresql_databases: found shop with objects of a, expected none. Next: ALTER TABLE ... OWNER TO for each"
    refused = outcome(refused=True, detail=why, logs=POSTGRESQL)
    assert stays(refused) == ""
    back = message(**refused, replaced={"back": True, "healthy": True, "left": ""})
    here = message(**refused)
    for said in (back, here):
        assert "postgresql_databases: found shop with objects of a, expected none" in said
        assert said.count("Next: ") == 1
        assert "Next: ALTER TABLE ... OWNER TO for each, then ./ready up." in said
    assert "of before are back, and it is healthy" in back
    assert "Nothing in it was changed, and the others stay up" in here


def test_what_is_said() -> None:
    """Why, in the log's own words; what is there now; what to correct."""
    text = message(
        state="restarting",
        logs=["# FATAL: Data file was created with a Redis server configured to handle more than 1 databases. Exiting"],
        replaced={"back": True, "healthy": True, "left": ""},
    )
    assert "configured to handle more than 1 databases. Exiting" in text
    assert "Its container and configuration of before are back, and it is healthy" in text
    assert "correct what was changed of redis_*, then ./ready up" in text
    assert "not healthy yet" in message(replaced={"back": True, "healthy": False, "left": ""})
    assert "passwords of before are wrong now" in message(
        replaced={"back": False, "healthy": False, "left": "accounts"}
    )
    assert "was left alone" in message(logs=POSTGRESQL, replaced={"back": False, "healthy": False, "left": "recovers"})
    assert "The others stay up. Next: ./ready logs --service redis; limits and settings are redis_*" in message()
