"""What is decided about point-in-time recovery: which WAL follows which, what is needed, which times can be had."""

from __future__ import annotations

import io
import json
import re
import tarfile
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from ready.backups import recovery, restic, telling, timer, wal
from ready.backups.base_backup import read_base
from ready.backups.manifest import BackupError
from ready.backups.timer import due
from ready.checking import drift_part, health_part
from ready.container import containers, desired
from ready.definitions import SERVICES_DIR, DefinitionError, load_definitions
from ready.plan import make_plan, settled
from ready.removal import removal
from ready.render import render_files
from ready.status import kept_lines, status_rows

from .conftest import ROOT, resolved_stack

SIZE = 2**24
FIRST = "000000010000000000000002"
DAY = 86400.0


def segment(number: int, timeline: int = 1) -> str:
    """Return the name of a segment of 16 MiB."""
    return f"{timeline:08X}{number // 256:08X}{number % 256:08X}"


def base(finished: float, number: int, system: str = "7", timeline: int = 1) -> wal.Base:
    """Return a base backup that took a second."""
    return wal.Base(finished, finished - 1, system, segment(number, timeline), f"set-{finished:.0f}")


def files(*numbers: int, written: float = 100.0, partial: int | None = None) -> dict[str, wal.File]:
    """Return whole segments, and a partial one."""
    names = [segment(number) for number in numbers] + ([f"{segment(partial)}.partial"] if partial else [])
    return {name: wal.File(SIZE, written) for name in names}


@pytest.fixture
def on() -> dict[str, Any]:
    """Return a stack of PostgreSQL with its receiver."""
    stack = resolved_stack(ready_services=["postgresql"], backup_pitr=True)
    stack["sidecars"]["wal"]["config_hash"] = "hash"
    stack["services"]["postgresql"]["config_hash"] = "hash"
    return stack


def state_of(stack: dict[str, Any], image: str = "sha256:1", **other: Any) -> dict[str, Any]:
    """Return the state in which everything is as asked for."""
    services = {
        name: {
            "exists": True,
            "ours": True,
            "running": True,
            "status": "running",
            "health": "healthy",
            "id": name,
            "files_hash": "hash",
            "image": {"ref": "ready/postgresql:15", "id": image, "present": True},
            "config": desired(its, stack["name"], stack["network"], image),
        }
        for name, its in containers(stack).items()
    }
    names = [volume["name"] for its in containers(stack).values() for volume in its["volumes"]]
    names += [its["config_volume"] for its in containers(stack).values()]
    return {
        "reachable": True,
        "network": {"exists": True, "ours": True},
        "services": services,
        "volumes": {name: {"exists": True, "ours": True, "labels": {}, "service": ""} for name in names},
        "others": [],
        **other,
    }


@pytest.mark.parametrize(
    ("name", "size", "expected"),
    [
        (FIRST, SIZE, "000000010000000000000003"),
        ("0000000100000000000000FF", SIZE, "000000010000000100000000"),
        ("00000002000000010000003F", 2**26, "000000020000000200000000"),
    ],
)
def test_successor(name: str, size: int, expected: str) -> None:
    """The number goes on in the next log file when one is full; how many fit depends on their size."""
    assert wal.successor(name, size) == expected


def test_chain() -> None:
    """It ends at the first gap, or with the segment that is being written."""
    assert wal.chain(FIRST, files(2, 3, partial=4), SIZE) == [segment(2), segment(3), f"{segment(4)}.partial"]
    assert wal.chain(FIRST, files(2, 4, partial=5), SIZE) == [segment(2)]
    assert wal.chain(FIRST, files(3), SIZE) == []


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (files(1, 2, 3, partial=4), ""),
        (files(2), ""),
        (files(partial=2), ""),
        (files(2, 4, partial=5), f"WAL segment {segment(3)} is missing, and there are 2 later ones"),
        (files(3, partial=4), f"WAL segment {FIRST} is missing, and there are 2 later ones"),
        ({}, f"WAL segment {FIRST} is missing"),
    ],
)
def test_gap(names: dict[str, wal.File], message: str) -> None:
    """Later WAL is worth nothing behind a gap, and nothing at all is a gap, too."""
    assert wal.gap(FIRST, names, SIZE) == message


def test_of_history() -> None:
    """Directories of one history are one archive; another timeline, or another cluster, is another history."""
    archive = {"7-1.1": files(2, 3), "7-1.2": files(3, 9, written=200), "7-2.1": files(4), "8-1.1": files(5)}
    found = wal.of_history(archive, "7-1")
    assert sorted(found) == [segment(number) for number in (2, 3, 9)]
    assert found[segment(3)].written == 200
    assert base(10, 2, timeline=2).history == "7-2"


def test_tags_hold_base_backups() -> None:
    """What a set's manifest says of its base backup is read back from the snapshot's tags; other sets have none."""
    its = {"system": "7711", "segment": FIRST, "started": 1795569924, "finished": 1795569926}
    tags = ["ready-set", "set=a", wal.base_tag(its)]
    assert wal.bases([{"tags": tags}, {"tags": ["ready-set", "set=b"]}]) == [
        wal.Base(1795569926, 1795569924, "7711", FIRST, "a")
    ]
    manifest = {"id": "a", "stack": "x", "level": "fuzzy", "parts": {"postgresql": {"base": {"tag": tags[2]}}}}
    assert tags[2] in restic.set_tags(manifest)


def test_what_is_needed() -> None:
    """The window begins at the newest base backup before it; without any nothing is thrown away."""
    kept = [base(day * DAY, int(day)) for day in (1, 2, 3, 9)]
    assert wal.needed(kept, 10 * DAY, 7) == kept[2:]
    assert wal.needed(kept, 10 * DAY, 30) == kept
    assert wal.needed([], 10 * DAY, 7) == []
    old = {"7-1.1": files(1, 2, 3, 4, partial=9), "8-1.1": files(5, written=1.0), "9-1.1": files(6, written=99 * DAY)}
    assert wal.superfluous(old, []) == []
    # Of the needed history what comes before; a dead one whole; a new one, without a base backup yet, stays.
    assert wal.superfluous(old, kept[2:]) == [f"7-1.1/{segment(1)}", f"7-1.1/{segment(2)}", "8-1.1"]


def test_what_is_saved() -> None:
    """Whole segments once, the partial one each time, and a directory's history file with the first of them."""
    archive = {"7-2.1": {**files(2, 3, partial=4), "00000002.history": wal.File(9, 1.0), "x.tmp": wal.File(1, 1.0)}}
    new = wal.unshipped(archive, {})
    assert new == [("7-2.1", name) for name in sorted(set(archive["7-2.1"]) - {"x.tmp"})]
    assert wal.unshipped(archive, {"7-2.1": segment(2)}) == [("7-2.1", segment(3)), ("7-2.1", f"{segment(4)}.partial")]
    assert wal.unshipped(archive, {"7-2.1": segment(3)}) == [("7-2.1", f"{segment(4)}.partial")]


def test_listing() -> None:
    """Only the receiver's directories count."""
    text = (
        f"7711-1.1/{FIRST} 16777216 1795569925\nlost+found/x 1 2\n7711-1.1/{segment(3)}.partial 16777216 1795569955\n"
    )
    assert wal.parse_listing(text) == {
        "7711-1.1": {
            FIRST: wal.File(SIZE, 1795569925.0),
            f"{segment(3)}.partial": wal.File(SIZE, 1795569955.0),
        }
    }


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("2026-11-25T01:02:03Z", 1795568523.0),
        ("2026-11-25T02:02:03.5+01:00", 1795568523.5),
        ("2026-11-25 01:02:03+00:00", 1795568523.0),
        ("latest", None),
    ],
)
def test_target(text: str, seconds: float | None) -> None:
    """ISO 8601 with a zone, or the latest."""
    assert recovery.parse_target(text, 1795569999.0) == seconds


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("2026-11-25T01:02:03", "expected a time with its zone"),
        ("yesterday", "found 'yesterday', expected a time with its zone"),
        ("2026-11-25T02:02:03Z", "is still to come"),
    ],
)
def test_target_refused(text: str, message: str) -> None:
    """A time without a zone has two meanings; one to come has none."""
    with pytest.raises(BackupError, match=message):
        recovery.parse_target(text, 1795569999.0)


def test_base_is_chosen() -> None:
    """The newest that was finished before; none is refused with the oldest one named, or with what never was on."""
    found = [base(100, 2), base(200, 3), base(300, 1, system="8")]
    assert recovery.choose_base(found, 250) == found[1]
    assert recovery.choose_base(found, 200) == found[1]
    assert recovery.choose_base(found, None) == found[2]
    with pytest.raises(BackupError, match=r"before the oldest base backup, which is of 1970-01-01T00:01:40Z"):
        recovery.choose_base(found, 99)
    with pytest.raises(BackupError, match="backup_pitr was never on"):
        recovery.choose_base([], None)


def test_too_late_is_refused() -> None:
    """After the newest WAL of the base backup's history nothing is known, wherever that WAL is."""
    archive = {"7-1.1": files(2, written=500.0), "8-1.1": files(2, written=900.0)}
    recovery.refuse_late(base(100, 2), archive, 501, 0)
    recovery.refuse_late(base(100, 2), archive, None, 0)
    recovery.refuse_late(base(100, 2), {}, 600, 600)
    with pytest.raises(BackupError, match=r"after the newest WAL of that history, which is of 1970-01-01T00:08:20Z"):
        recovery.refuse_late(base(100, 2), archive, 600, 0)


@pytest.mark.parametrize("only", [[], ["redis"], ["postgresql", "redis"]])
def test_only_postgresql_has_times(only: list[str]) -> None:
    """The other stores have sets; and a set can't be named beside a time."""
    with pytest.raises(BackupError, match="expected --only postgresql"):
        recovery.plan(None, None, "latest", only)  # type: ignore[arg-type]
    with pytest.raises(BackupError, match="found --set as well"):
        recovery.plan(None, None, "latest", ["postgresql"], "a-set")  # type: ignore[arg-type]


def test_image_must_read_the_files() -> None:
    """A base backup is the engine's own files: another major version or collation does not read them."""
    part = {"image": {"engine_version": "15.20", "data_format": "15-glibc"}}
    recovery.refuse_image(part, {"engine_version": "15.21", "data_format": "15-glibc"}, base(1, 2))
    for here in (
        {"engine_version": "17.2", "data_format": "17-glibc"},
        {"engine_version": "15.20", "data_format": "x"},
    ):
        with pytest.raises(BackupError, match="which does not read its files"):
            recovery.refuse_image(part, here, base(1, 2))


def test_stale() -> None:
    """The promise is a minute."""
    assert recovery.stale(60) == ""
    assert "is 61 s old, expected at most 60 s" in recovery.stale(61)
    assert recovery.stale(-1) == ""
    assert "3600 s ahead of this host's clock" in recovery.stale(-3600)


def a_base(path: Path, listed: dict[str, int], there: dict[str, int]) -> Path:
    """Write a base backup with these files: name -> size."""
    manifest = json.dumps({"Files": [{"Path": name, "Size": size} for name, size in listed.items()]})
    label = f"START WAL LOCATION: 0/2000028 (file {FIRST})\n"
    contents = {name: b"x" * size for name, size in there.items()}
    with tarfile.open(path, "w") as archive:
        for name, content in (
            contents | {"backup_label": label.encode(), "backup_manifest": manifest.encode()}
        ).items():
            info = tarfile.TarInfo(name)
            info.size = len(content)
            archive.addfile(info, io.BytesIO(content))
    return path


def test_base_is_read(tmp_path: Path) -> None:
    """A base backup that lacks a file, or a part of one, makes no set; nor does a cut archive."""
    whole = a_base(tmp_path / "whole.tar", {"PG_VERSION": 3, "base/1": 9000}, {"PG_VERSION": 3, "base/1": 9000})
    assert read_base(whole) == {"segment": FIRST, "files": 2}
    for there in ({"PG_VERSION": 3}, {"PG_VERSION": 3, "base/1": 8999}):
        with pytest.raises(BackupError, match="found base/1 missing or of another size, expected all 2 files"):
            read_base(a_base(tmp_path / "lacks.tar", {"PG_VERSION": 3, "base/1": 9000}, there))
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole.read_bytes()[:5000])
    with pytest.raises(BackupError, match="is no base backup"):
        read_base(cut)


def test_off_by_default() -> None:
    """Nothing of it is in a stack that does not ask for it; without PostgreSQL it is refused."""
    assert resolved_stack()["sidecars"] == {}
    with pytest.raises(DefinitionError, match="backup_pitr: found true without postgresql"):
        resolved_stack(ready_services=["redis"], backup_pitr=True)
    with pytest.raises(DefinitionError, match="backup_pitr: found 'perhaps', expected true or false"):
        resolved_stack(backup_pitr="perhaps")


def test_sidecar_is_described_as_services_are(on: dict[str, Any]) -> None:
    """Its definition keeps the services' schema in all that it shares with one."""
    whole = json.loads((ROOT / "schemas" / "service.schema.json").read_text())
    for name, its in load_definitions(SERVICES_DIR / "sidecars").items():
        mine = {key: value for key, value in its.items() if key not in {"of", "account", "role", "ports"}}
        jsonschema.validate(mine, whole | {"required": [*mine]})
        assert its["ports"] == [], name
    assert on["sidecars"]["wal"]["image"] is on["services"]["postgresql"]["image"]


def test_its_files_hold_one_password(on: dict[str, Any]) -> None:
    """The replication account's, and neither in its command nor in its environment."""
    sidecar = on["sidecars"]["wal"]
    rendered = {file.path: file for file in render_files(sidecar, {"backup": "secret-of-backup"}, {})}
    assert rendered["secrets/backup.pgpass"].content == b"*:*:*:ready_backup:secret-of-backup\n"
    assert {file.mode for file in rendered.values()} == {0o400}
    assert b"secret-of-backup" not in rendered["receive.sh"].content
    assert "sslmode" not in rendered["receive.sh"].content.decode()
    tls = render_files(sidecar | {"with_tls": True}, {"backup": "x"}, {})
    assert b"sslmode=verify-ca" in next(file.content for file in tls if file.path == "receive.sh")


def test_plan_knows_it(on: dict[str, Any]) -> None:
    """It is made with PostgreSQL, from PostgreSQL's image, healed like a service, and goes when it is switched off."""
    images = {"postgresql": {"ref": "ready/postgresql:15", "id": "sha256:1"}}
    state = state_of(on)
    assert not make_plan(on, state, images)["changes"]
    assert settled(on, state)
    unhealthy = state_of(on)
    unhealthy["services"]["wal"]["health"] = "unhealthy"
    assert not settled(on, unhealthy)
    newer = {"postgresql": {"ref": "ready/postgresql:17", "id": "sha256:2"}}
    assert make_plan(on, state, newer, ["postgresql"])["actions"] == {"postgresql": "recreate", "wal": "recreate"}
    off = resolved_stack(ready_services=["postgresql"])
    off["services"]["postgresql"]["config_hash"] = "hash"
    left = {"name": "ready-wal", "service": "wal", "status": "running"}
    plan = make_plan(off, state_of(off, others=[left, left | {"name": "theirs"}]), images)
    assert plan["remove"] == ["ready-wal"]
    assert plan["changes"]
    assert "switched off. Next: ./ready up removes it" in kept_lines({"others": [left]}, "pc1")[0]


def test_everybody_knows_it(on: dict[str, Any]) -> None:
    """Status, health, drift and destroy; it is not asked for data, and a red health test of its own is a fault."""
    state = state_of(on)
    rows = status_rows(on, state, {})
    assert [(row["service"], row["drift"]) for row in rows] == [("postgresql", "none"), ("wal", "none")]
    assert "ready-wal" in removal(state, on, {}, volumes=True)["containers"]
    assert "ready_wal" in removal(state, on, {}, volumes=True)["volumes"]
    answered = {"postgresql": {"verdict": "pass", "checks": {}}}
    part = health_part(on, state, answered)
    assert part.verdict == "pass"
    assert part.results["sidecars"]["wal"]["state"] == "healthy"
    assert "wal" not in part.results["services"]
    state["services"]["wal"] |= {"health": "unhealthy"}
    state["services"]["wal"]["config"] = state["services"]["wal"]["config"] | {"memory": 1}
    assert health_part(on, state, answered).verdict == "fail"
    assert [row["verdict"] for row in drift_part(on, state).rows] == ["pass", "fail"]


def test_due_in_minutes() -> None:
    """WAL is saved more often than anything else."""
    assert due(0, "5min", 300)
    assert not due(0, "15min", 300)
    with pytest.raises(SystemExit):
        timer.main(["nothing", "x"])


def recovered(**other: Any) -> dict[str, Any]:
    """Return what a drill found of a recovery."""
    return {
        "verdict": "pass",
        "faults": [],
        "seconds": 3.0,
        "objective_seconds": 60.0,
        "base_finished_at": "2026-11-25T01:00:00Z",
        "segments": 2,
        "reached": "2026-11-25T01:10:00Z",
        "rpo_seconds": 8.0,
        "repository_rpo_seconds": 700.0,
        **other,
    }


def test_told() -> None:
    """Both losses have a figure, a fault is said; evidence keeps its schema."""
    drilled = {
        "set": "s",
        "level": "fuzzy",
        "verdict": "pass",
        "rpo_seconds": 900.0,
        "rto_seconds": 9.0,
        "services": {
            "postgresql": {"verdict": "pass", "faults": [], "seconds": 1.0, "asked": [], "logins": 4, "image": "i"}
        },
        "recovery": recovered(),
        "healed": [],
    }
    part = telling.drill_part(drilled)
    assert any("RPO 8.0 s on this host, 700.0 s without it" in line for line in part.next)
    red = telling.drill_part(drilled | {"verdict": "fail", "recovery": recovered(faults=["a gap"], verdict="fail")})
    assert any("Point-in-time recovery of PostgreSQL: a gap" in line for line in red.next)
    restored = {
        **{key: value for key, value in drilled.items() if key != "rpo_seconds"},
        "safety_set": None,
        "outage_seconds": 2.0,
        "recovery": {
            "wanted": "latest",
            "reached": "2026-11-25T01:10:00Z",
            "base_set": "s",
            "base_finished_at": "2026-11-25T01:00:00Z",
        },
    }
    lines = telling.restore_part(restored).next
    assert any("PostgreSQL of latest (its last transaction is of 2026-11-25T01:10:00Z" in line for line in lines)
    assert any(re.match(r"Next: \./ready backup", line) for line in lines)
    for name, results in (("drill", drilled), ("restore", restored)):
        whole = json.loads((ROOT / "schemas" / "evidence" / f"{name}.schema.json").read_text())
        jsonschema.validate(results, whole["properties"]["results"])
