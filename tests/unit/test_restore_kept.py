"""A restore over a store of which no set can be made: its data are kept whole, whenever the run is killed."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from docker.errors import NotFound
from ready.backups import backup, interrupted, olddata, restore, standing, telling, volumes, work
from ready.backups.manifest import BackupError
from ready.backups.olddata import OldData, kept_name
from ready.backups.standing import Standing
from ready.backups.work import Work
from ready.container import LABEL_KEPT_FOR, LABEL_KEPT_OF, LABEL_STACK
from ready.evidence import write_text
from ready.removal import prunable
from ready.status import kept_volumes

ROOT = Path(__file__).resolve().parents[2]
REAL = "s_redis_data"
STACK: dict[str, Any] = {
    "name": "s",
    "network": "s",
    "services": {
        "redis": {"name": "redis", "container": "s-redis", "stop_timeout": 1, "volumes": [{"name": REAL, "path": "/d"}]}
    },
}
SCRATCH = f"s.restore_{REAL}"


class KilledError(BaseException):
    """The process is gone: nothing of it runs any more."""


class Host:
    """A host's volumes and one container, which dies at a chosen step; nothing may start on half of the data."""

    def __init__(self, status: str) -> None:
        self.data: dict[str, str] = {REAL: "old", SCRATCH: "new"}
        self.labels: dict[str, dict[str, str]] = {REAL: {LABEL_STACK: "s"}}
        self.status, self.before, self.left = status, status, -1
        self.containers = SimpleNamespace(get=lambda _: self)
        self.volumes = SimpleNamespace(get=self._volume, create=self._create)
        self.attrs = {"Image": "image", "Config": {"Image": "ready/redis:7"}}
        self.name = "s-redis"

    def step(self) -> None:
        """Die here when it is time."""
        self.left -= 1
        if self.left == 0:
            raise KilledError

    def _volume(self, name: str) -> Any:
        if name not in self.data:
            raise NotFound(name)
        return SimpleNamespace(attrs={"Labels": self.labels.get(name)}, remove=lambda: self._remove(name))

    def _create(self, name: str, labels: dict[str, str]) -> None:
        self.step()
        self.data.setdefault(name, "")
        self.labels[name] = labels

    def _remove(self, name: str) -> None:
        self.step()
        del self.data[name]

    def stop(self, **_: Any) -> None:
        """Stop the container."""
        self.step()
        self.status = "exited"

    def start(self) -> None:
        """Start it as it was, on whole data alone."""
        self.step()
        assert self.data[REAL] in {"old", "new"}
        self.status = "running"

    def copy(self, source: str, target: str) -> None:
        """Copy in two steps, with nobody on either side."""
        assert self.status == "exited"
        self.data[target] = "half"
        self.step()
        self.data[target] = self.data[source]
        self.step()

    def remove_all(self, label: str) -> list[str]:
        """Remove what carries a scratch label."""
        gone = [
            name
            for name in self.data
            if self.labels.get(name, {}).get(LABEL_STACK) == label or name.startswith(f"{label}_")
        ]
        for name in gone:
            del self.data[name]
        return gone


@pytest.fixture
def a_host(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[Callable[[str], tuple[Host, Work]]]:
    """Return what makes a host with one broken store, and the work on it."""

    def make(status: str) -> tuple[Host, Work]:
        host = Host(status)
        place = tmp_path / str(len(list(tmp_path.iterdir())))
        monkeypatch.setattr(volumes, "remove_containers", lambda *_: [])
        monkeypatch.setattr(volumes, "remove_all", lambda _, label: host.remove_all(label))
        monkeypatch.setattr(
            Work, "duplicate", lambda _work, _client, _image, source, target, _what: host.copy(source, target)
        )
        monkeypatch.setattr(Work, "repository", lambda *_: (_ for _ in ()).throw(BackupError("none")))

        def write(path: Path, text: str) -> None:
            host.step()
            write_text(path, text)

        monkeypatch.setattr(work, "write_text", write)
        monkeypatch.setattr(restore, "wait_for_all", lambda *_: {})
        return host, Work({"stack": STACK}, place)

    yield make
    monkeypatch.undo()


def replace(host: Host, its: Work, keep: bool, well: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put scratch's data in place of the broken store's."""
    monkeypatch.setattr(restore, "_verify", lambda *_: {} if well else {"redis": ["it does not answer"]})
    old = OldData(None, {"redis": "its container exited"}, keep, ["redis"] if host.before == "exited" else [])
    load: Any = SimpleNamespace(scratch=SimpleNamespace(data=SCRATCH))
    client: Any = host
    restore._replace(client, its, ["redis"], {"redis": load}, {"id": "set", "parts": {}}, old)


def kept(host: Host) -> list[str]:
    """Return what volumes that are to stay hold."""
    return [host.data[name] for name in host.data if "_before_restore_" in name]


@pytest.mark.parametrize("well", [True, False])
@pytest.mark.parametrize("status", ["exited", "running"])
def test_killed_anywhere_with_a_kept_copy(
    a_host: Callable[[str], tuple[Host, Work]], monkeypatch: pytest.MonkeyPatch, status: str, well: bool
) -> None:
    """The next run, killed anywhere as well, leaves the old data in place, or new ones and the old ones whole."""
    first, ended = 0, False
    while not ended:
        first, second = first + 1, 0
        again = True
        while again:
            second += 1
            host, its = a_host(status)
            host.left = first
            try:
                replace(host, its, True, well, monkeypatch)
                ended = True
            except KilledError:
                pass
            except BackupError:
                ended = True
            host.left = second
            try:
                its.heal(host)  # type: ignore[arg-type]
                again = False
            except KilledError:
                host.left = -1
                its.heal(host)  # type: ignore[arg-type]
            assert (host.data[REAL], kept(host)) in (("old", []), ("new", ["old"])), (first, second)
            if ended:
                assert host.data[REAL] == ("new" if well else "old")
            if host.data[REAL] == "old":
                assert host.status == status
            assert its.journal.read() == {}
            assert SCRATCH not in host.data or ended
    assert first > 8


@pytest.mark.parametrize("status", ["exited", "running"])
def test_killed_anywhere_without_a_copy(
    a_host: Callable[[str], tuple[Host, Work]], monkeypatch: pytest.MonkeyPatch, status: str
) -> None:
    """What was begun without a copy is finished from scratch's data, which are proven."""
    first, ended = 0, False
    while not ended:
        first += 1
        host, its = a_host(status)
        host.left = first
        try:
            replace(host, its, False, True, monkeypatch)
            ended = True
        except KilledError:
            pass
        host.left = -1
        its.heal(host)  # type: ignore[arg-type]
        assert host.data[REAL] in {"old", "new"}, first
        assert kept(host) == []
        assert not any(its.journal.read().values())
    assert host.data[REAL] == "new"
    assert first > 5


def test_half_of_a_set_stays_stopped(a_host: Callable[[str], tuple[Host, Work]]) -> None:
    """Without scratch's data the service is not started on what is there, and the line says what to do."""
    host, its = a_host("exited")
    its.journal.note(replacing=["redis"], stopped=["redis"])
    host.data = {REAL: "half"}
    (line,) = its.heal(host)  # type: ignore[arg-type]
    assert "redis stays stopped" in line
    assert "Next: ./ready restore --only redis" in line
    assert host.status == "exited"


def test_failure_without_a_copy_is_said(
    a_host: Callable[[str], tuple[Host, Work]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody reads that old data are back which are not."""
    host, its = a_host("exited")
    with pytest.raises(BackupError, match="put back, but for redis, of which no copy was wanted: redis: it does"):
        replace(host, its, False, False, monkeypatch)
    assert host.data[REAL] == "new"


def judged(monkeypatch: pytest.MonkeyPatch, found: Standing, users: list[str]) -> Any:
    """Let services stand so, with these containers on the data volume; return a client."""
    monkeypatch.setattr(olddata, "judge", lambda *_: found)
    listed = [SimpleNamespace(name=name) for name in users]
    return SimpleNamespace(containers=SimpleNamespace(list=lambda **_: listed))


@pytest.mark.parametrize(
    ("found", "users", "message"),
    [
        (Standing(broken={"redis": "its container absent, expected it"}, stopped=["redis"]), [], "found no container"),
        (Standing(well=["redis"]), ["s-redis", "mine"], "found mine on its data volume s_redis_data"),
        (Standing(broken={"redis": "it unhealthy (x)"}, drifted={"redis": "memory"}), ["s-redis"], "differs from"),
    ],
)
def test_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: Standing, users: list[str], message: str
) -> None:
    """Never two containers on one volume, never a store replaced that may only await the inventory."""
    client = judged(monkeypatch, found, users)
    with pytest.raises(BackupError, match=f"nothing was changed: redis: .*{message}.*Next: "):
        olddata.secure(client, Work({"stack": STACK}, tmp_path), ["redis"], "h", safety=True, lose=[])


def test_a_set_that_fails_keeps_the_volume(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A store may be healthy and its data unreadable; what the failed set had stopped runs again first."""
    client = judged(monkeypatch, Standing(well=["redis"]), ["s-redis"])
    healed = []

    def fails(*_: Any, **__: Any) -> None:
        raise BackupError("redis: invalid page")

    monkeypatch.setattr(backup, "run", fails)
    monkeypatch.setattr(Work, "heal", lambda *_: healed.append("healed"))
    old = olddata.secure(client, Work({"stack": STACK}, tmp_path), ["redis"], "h", safety=True, lose=[])
    assert old.safety_set is None
    assert "invalid page" in old.broken["redis"]
    assert healed == ["healed"]


def test_told_and_kept_in_evidence() -> None:
    """The answer names volume, way back and removal; the schema takes it."""
    old = OldData(None, {"redis": "its container exited", "neo4j": "it unhealthy ()"}, volumes={"redis": "kept"})
    stack = {"services": {name: {"volumes": [{"name": f"s_{name}"}]} for name in ("redis", "neo4j")}}
    found: dict[str, Any] = {
        "set": "x",
        "level": "fuzzy",
        "verdict": "pass",
        "safety_set": None,
        "kept": old.found(stack, {"redis": "ready/redis:7", "neo4j": "n"}),
        "services": {"redis": {"verdict": "pass", "faults": [], "seconds": 1.0, "asked": [], "logins": 4, "image": ""}},
        "rto_seconds": 1.0,
        "outage_seconds": 1.0,
        "healed": [],
    }
    schema = json.loads((ROOT / "schemas" / "evidence" / "restore.schema.json").read_text())
    jsonschema.validate(found, schema["properties"]["results"])
    text = " ".join(telling.restore_part(found).next)
    assert "kept whole in the volume kept" in text
    assert "-v kept:/from:ro -v s_redis:/to ready/redis:7" in text
    assert "./ready prune --kept" in text
    assert "neo4j: found it unhealthy (): its data from before were replaced without a copy" in text


def test_asked_with_what_goes() -> None:
    """The question says what becomes of the data, by how each service stands."""
    stack: dict[str, Any] = {"services": {name: {"volumes": [{}]} for name in "ab"} | {"c": {"volumes": []}}}
    state = {"services": {"a": {"status": "running", "running": True, "health": "healthy"}, "b": {"status": "exited"}}}
    assert telling.replaced_lines(state, stack, [], without=False) == [
        "a: all its data; a safety set has them",
        "b: all its data; it is exited, so its volume is kept whole instead of a safety set",
    ]
    assert telling.replaced_lines(state, stack, ["b"], without=True) == [
        "b: all its data; for good, without a copy of what is there"
    ]


def test_kept_volumes_are_named_and_pruned() -> None:
    """As those of upgrades are, but not while an interrupted restore needs them."""
    name = kept_name(REAL, standing_moment())
    labels = {LABEL_STACK: "s", LABEL_KEPT_OF: REAL, LABEL_KEPT_FOR: "restore", "io.ready.kept": "redis"}
    stack: dict[str, Any] = {"name": "s", "services": {}}
    state: dict[str, Any] = {"volumes": {name: {"ours": True, "labels": labels}}}
    info: dict[str, Any] = {"containers": [], "images": []}
    assert "redis of unknown before its restore" in kept_volumes(state, {})[0]
    assert prunable(info, stack, state, kept=True)["lines"] == [f"volume {name}: the data from before a restore"]
    state["restore"] = {"services": ["redis"], "volumes": [name]}
    assert prunable(info, stack, state, kept=True)["volumes"] == []


def standing_moment() -> Any:
    """Return a moment."""
    from datetime import datetime, timezone

    return datetime(2026, 11, 29, tzinfo=timezone.utc)


def test_interrupted_restore_keeps_services_from_starting(tmp_path: Path) -> None:
    """Preflight says so, and nothing where none was interrupted."""
    assert interrupted.checks({"restore": interrupted.read("s", tmp_path)}) == []
    journal = work.Journal(tmp_path / "s" / "journal.json")
    journal.note(swapping=["redis"], keeping=["redis:kept"])
    found = interrupted.read("s", tmp_path)
    assert found == {"services": ["redis"], "volumes": ["kept"]}
    (check,) = interrupted.checks({"restore": found})
    assert check.verdict == "fail"
    assert "redis" in check.found


def test_said_before_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """What differs at once, with the next step; what is starting, with how long it is waited for."""
    differs = {"a": {"memory": {"found": 1, "expected": 2}, "env": {"found": {}, "expected": {"x": 1}}}}
    monkeypatch.setattr(standing, "drift", lambda _stack, name, _found: differs.get(name, {}))
    running = {"running": True, "status": "running"}
    state = {"services": {"a": running | {"health": "healthy"}, "b": running | {"health": "starting"}}}
    assert standing.lines(state, {}, ["a", "b"]) == [
        "a differs from the inventory in env, memory. Next: ./ready up",
        "Waiting for b, still starting: at most 10 minutes.",
    ]
    assert standing.lines(state | {"services": {"c": {"running": False}}}, {}, ["c"]) == []


def a_service(status: str, **other: Any) -> dict[str, Any]:
    """Return the state of a service whose container has that status."""
    return {"exists": True, "ours": True, "status": status, "running": status == "running", "restarts": 0, **other}


def test_judged_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """A service that is down or fails is not waited for, and its drift is reported with it; another's is refused."""
    state = {"services": {"a": a_service("exited"), "b": a_service("restarting"), "c": a_service("running")}}
    stack = {"name": "s", "network": "s", "services": {name: {"container": f"s-{name}"} for name in "abc"}}
    monkeypatch.setattr(standing, "read_state", lambda *_: state)
    monkeypatch.setattr(standing, "drift", lambda _stack, name, _found: {"memory": {}} if name == "a" else {})
    answer = {"c": {"healthy": False, "state": "unhealthy", "detail": "no answer"}}
    monkeypatch.setattr(standing, "wait_for_all", lambda *_: answer)
    monkeypatch.setattr(standing, "find_container", lambda *_: None)
    client: Any = None
    found = standing.judge(client, stack, "abc")
    assert (found.well, found.stopped, found.still) == ([], ["a", "b"], ["a"])
    with pytest.raises(BackupError, match=r"a: found its container exited, .*; it differs from the inventory in mem"):
        standing.refuse_down(client, stack, "abc")
    state["services"]["a"]["ours"] = False
    with pytest.raises(BackupError, match="s-a is not this stack's"):
        standing.judge(client, stack, "abc")


def test_waits_for_what_is_starting_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not for one that Docker calls unhealthy, nor for one that it restarts again and again meanwhile."""
    asked: list[list[str]] = []
    health = {"a": ["unhealthy"], "b": ["starting", "starting"], "c": ["starting", "starting"]}
    restarts = {"a": [0], "b": [2, 2], "c": [7, 8]}

    def wait(services: dict[str, Any], *_: Any) -> dict[str, Any]:
        asked.append(sorted(services))
        return {name: {"healthy": name == "b" and len(asked) == 3, "state": "x", "detail": ""} for name in services}

    def find(_: Any, name: str) -> Any:
        attrs = {"RestartCount": restarts[name].pop(0)}
        return SimpleNamespace(status="running", health=health[name].pop(0), attrs=attrs)

    monkeypatch.setattr(standing, "wait_for_all", wait)
    monkeypatch.setattr(standing, "find_container", find)
    monkeypatch.setattr(standing, "PAUSE", 0)
    client: Any = None
    services = {name: {"container": name} for name in "abc"}
    found = standing._asked(client, services, {"a": 0, "b": 2, "c": 7})
    assert asked == [["a", "b", "c"], ["b", "c"], ["b"]]
    assert {name: its["healthy"] for name, its in found.items()} == {"a": False, "b": True, "c": False}
