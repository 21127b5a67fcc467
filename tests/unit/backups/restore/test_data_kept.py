"""A restore over a store of which no set can be made: its data are kept whole, whenever the run is killed."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ready.backups import results
from ready.backups.journal import Journal
from ready.backups.manifest import BackupError
from ready.backups.restore.replaced_data import ReplacedData
from ready.backups.workspace import Workspace
from ready.host import restore_journal

from tests.unit.backups.restore.simulated_host import REAL, SCRATCH, Host, KilledError, kept, replace

ROOT = Path(__file__).resolve().parents[4]


@pytest.mark.parametrize("well", [True, False])
@pytest.mark.parametrize("status", ["exited", "running"])
def test_killed_anywhere_with_a_kept_copy(
    a_host: Callable[[str], tuple[Host, Workspace]], monkeypatch: pytest.MonkeyPatch, status: str, well: bool
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
    a_host: Callable[[str], tuple[Host, Workspace]], monkeypatch: pytest.MonkeyPatch, status: str
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


def test_half_of_a_set_stays_stopped(a_host: Callable[[str], tuple[Host, Workspace]]) -> None:
    """Without scratch's data the service is not started on what is there, and the line says what to do."""
    host, its = a_host("exited")
    its.journal.note(replacing=["redis"], stopped=["redis"])
    host.data = {REAL: "half"}
    (line,) = its.heal(host)  # type: ignore[arg-type]
    assert "redis stays stopped" in line
    assert "Next: ./ready restore --only redis" in line
    assert host.status == "exited"


def test_failure_without_a_copy_is_said(
    a_host: Callable[[str], tuple[Host, Workspace]], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nobody reads that old data are back which are not."""
    host, its = a_host("exited")
    with pytest.raises(BackupError, match="put back, but for redis, of which no copy was wanted: redis: it does"):
        replace(host, its, False, False, monkeypatch)
    assert host.data[REAL] == "new"


def test_told_and_kept_in_evidence() -> None:
    """The answer names volume, way back and removal; the schema takes it."""
    old = ReplacedData(None, {"redis": "its container exited", "neo4j": "it unhealthy ()"}, volumes={"redis": "kept"})
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
    text = " ".join(results.restore_result(found).next)
    assert "kept whole in the volume kept" in text
    assert "-v kept:/from:ro -v s_redis:/to ready/redis:7" in text
    assert "./ready prune --kept" in text
    assert "neo4j: found it unhealthy (): its data from before were replaced without a copy" in text


def test_interrupted_restore_keeps_services_from_starting(tmp_path: Path) -> None:
    """Preflight says so, and nothing where none was interrupted."""
    assert restore_journal.checks({"restore": restore_journal.read("s", tmp_path)}) == []
    journal = Journal(tmp_path / "s" / "journal.json")
    journal.note(swapping=["redis"], keeping=["redis:kept"])
    found = restore_journal.read("s", tmp_path)
    assert found == {"services": ["redis"], "volumes": ["kept"]}
    (check,) = restore_journal.checks({"restore": found})
    assert check.verdict == "fail"
    assert "redis" in check.found
