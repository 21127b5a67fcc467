"""The data that a restore replaces: how they are kept, who is informed, and when a restore is refused."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ready.backups import backup, results
from ready.backups.manifest import BackupError
from ready.backups.restore import replaced_data
from ready.backups.service_states import ServiceStates
from ready.backups.workspace import Workspace
from ready.checks.not_in_inventory import kept_volumes
from ready.common.labels import LABEL_KEPT_FOR, LABEL_KEPT_OF, LABEL_STACK
from ready.docker.kept_volumes import restore_copy_name
from ready.docker.removal_plan import prunable
from ready.services.postgresql import unsaved_settings as postgresql

from tests.unit.backups.restore.simulated_host import REAL, STACK


def judged(monkeypatch: pytest.MonkeyPatch, found: ServiceStates, users: list[str]) -> Any:
    """Let services stand so, with these containers on the data volume; return a client."""
    monkeypatch.setattr(replaced_data, "read_service_states", lambda *_: found)
    listed = [SimpleNamespace(name=name) for name in users]
    return SimpleNamespace(containers=SimpleNamespace(list=lambda **_: listed))


@pytest.mark.parametrize(
    ("found", "users", "message"),
    [
        (
            ServiceStates(broken={"redis": "its container absent, expected it"}, stopped=["redis"]),
            [],
            "found no container",
        ),
        (ServiceStates(well=["redis"]), ["s-redis", "mine"], "found mine on its data volume s_redis_data"),
        (ServiceStates(broken={"redis": "it unhealthy (x)"}, drifted={"redis": "memory"}), ["s-redis"], "differs from"),
    ],
)
def test_refused(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, found: ServiceStates, users: list[str], message: str
) -> None:
    """Never two containers on one volume, never a store replaced that may only await the inventory."""
    client = judged(monkeypatch, found, users)
    with pytest.raises(BackupError, match=f"nothing was changed: redis: .*{message}.*Next: "):
        replaced_data.save_replaced_data(
            client, Workspace({"stack": STACK}, tmp_path), ["redis"], "h", safety=True, lose=[]
        )


def test_a_set_that_fails_keeps_the_volume(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A store may be healthy and its data unreadable; what the failed set had stopped runs again first."""
    client = judged(monkeypatch, ServiceStates(well=["redis"]), ["s-redis"])
    healed = []

    def fails(*_: Any, **__: Any) -> None:
        raise BackupError("redis: invalid page")

    monkeypatch.setattr(backup, "run", fails)
    monkeypatch.setattr(Workspace, "heal", lambda *_: healed.append("healed"))
    old = replaced_data.save_replaced_data(
        client, Workspace({"stack": STACK}, tmp_path), ["redis"], "h", safety=True, lose=[]
    )
    assert old.safety_set is None
    assert "invalid page" in old.broken["redis"]
    assert healed == ["healed"]


def test_asked_with_what_goes() -> None:
    """The question says what becomes of the data, by how each service stands."""
    stack: dict[str, Any] = {"services": {name: {"volumes": [{}]} for name in "ab"} | {"c": {"volumes": []}}}
    state = {"services": {"a": {"status": "running", "running": True, "health": "healthy"}, "b": {"status": "exited"}}}
    assert results.replaced_lines(state, stack, [], without=False) == [
        "a: all its data; a safety set has them",
        "b: all its data; it is exited, so its volume is kept whole instead of a safety set",
    ]
    assert results.replaced_lines(state, stack, ["b"], without=True) == [
        "b: all its data; for good, without a copy of what is there"
    ]


def test_kept_volumes_are_named_and_pruned() -> None:
    """As those of upgrades are, but not while an interrupted restore needs them."""
    name = restore_copy_name(REAL, standing_moment())
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


def test_warnings_of_the_safety_set_are_in_the_answer(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What the safety set found goes into the answer of the restore, which loses it; each line once."""
    lines = ["redis differs from the inventory in memory. Next: ./ready up", *postgresql.unsaved_warnings(["work_mem"])]
    made = {"manifest": {"id": "safety"}, "warnings": lines}
    states = ServiceStates(well=["redis"], drifted={"redis": "memory"})
    monkeypatch.setattr(replaced_data, "read_service_states", lambda *_: states)
    monkeypatch.setattr(backup, "run", lambda *_, **__: made)
    stack = {"name": "s", "services": {"redis": {"container": "s-redis", "volumes": [{"name": "v"}]}}}
    client: Any = SimpleNamespace(containers=SimpleNamespace(list=lambda **_: []))
    old = replaced_data.save_replaced_data(
        client, Workspace({"stack": stack}, tmp_path), ["redis"], "h", safety=True, lose=[]
    )
    assert (old.safety_set, old.warnings) == ("safety", lines)
