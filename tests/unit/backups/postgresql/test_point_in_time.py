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
from ready.backups import results, timer
from ready.backups.manifest import BackupError
from ready.backups.postgresql import point_in_time, wal
from ready.backups.postgresql.base_backup import read_base
from ready.backups.restic import repository
from ready.backups.timer import is_due

from tests.unit.conftest import ROOT

SIZE = 2**24
FIRST = "000000010000000000000002"
DAY = 86400.0


def segment(number: int, timeline: int = 1) -> str:
    """Return the name of a segment of 16 MiB."""
    return f"{timeline:08X}{number // 256:08X}{number % 256:08X}"


def base(finished: float, number: int, system: str = "7", timeline: int = 1) -> wal.BaseBackup:
    """Return a base backup that took a second."""
    return wal.BaseBackup(finished, finished - 1, system, segment(number, timeline), f"set-{finished:.0f}")


def files(*numbers: int, written: float = 100.0, partial: int | None = None) -> dict[str, wal.WalFile]:
    """Return whole segments, and a partial one."""
    names = [segment(number) for number in numbers] + ([f"{segment(partial)}.partial"] if partial else [])
    return {name: wal.WalFile(SIZE, written) for name in names}


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
    assert wal.contiguous_segments(FIRST, files(2, 3, partial=4), SIZE) == [
        segment(2),
        segment(3),
        f"{segment(4)}.partial",
    ]
    assert wal.contiguous_segments(FIRST, files(2, 4, partial=5), SIZE) == [segment(2)]
    assert wal.contiguous_segments(FIRST, files(3), SIZE) == []


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
def test_gap(names: dict[str, wal.WalFile], message: str) -> None:
    """Later WAL is worth nothing behind a gap, and nothing at all is a gap, too."""
    assert wal.gap_fault(FIRST, names, SIZE) == message


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
        wal.BaseBackup(1795569926, 1795569924, "7711", FIRST, "a")
    ]
    manifest = {"id": "a", "stack": "x", "level": "fuzzy", "parts": {"postgresql": {"base": {"tag": tags[2]}}}}
    assert tags[2] in repository.set_tags(manifest)


def test_what_is_needed() -> None:
    """The window begins at the newest base backup before it; without any nothing is thrown away."""
    kept = [base(day * DAY, int(day)) for day in (1, 2, 3, 9)]
    assert wal.bases_to_keep(kept, 10 * DAY, 7) == kept[2:]
    assert wal.bases_to_keep(kept, 10 * DAY, 30) == kept
    assert wal.bases_to_keep([], 10 * DAY, 7) == []
    old = {"7-1.1": files(1, 2, 3, 4, partial=9), "8-1.1": files(5, written=1.0), "9-1.1": files(6, written=99 * DAY)}
    assert wal.removable_paths(old, []) == []
    # Of the needed history what comes before; a dead one whole; a new one, without a base backup yet, stays.
    assert wal.removable_paths(old, kept[2:]) == [f"7-1.1/{segment(1)}", f"7-1.1/{segment(2)}", "8-1.1"]


def test_what_is_saved() -> None:
    """Whole segments once, the partial one each time, and a directory's history file with the first of them."""
    archive = {
        "7-2.1": {**files(2, 3, partial=4), "00000002.history": wal.WalFile(9, 1.0), "x.tmp": wal.WalFile(1, 1.0)}
    }
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
            FIRST: wal.WalFile(SIZE, 1795569925.0),
            f"{segment(3)}.partial": wal.WalFile(SIZE, 1795569955.0),
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
    assert point_in_time.parse_target(text, 1795569999.0) == seconds


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
        point_in_time.parse_target(text, 1795569999.0)


def test_base_is_chosen() -> None:
    """The newest that was finished before; none is refused with the oldest one named, or with what never was on."""
    found = [base(100, 2), base(200, 3), base(300, 1, system="8")]
    assert point_in_time.choose_base(found, 250) == found[1]
    assert point_in_time.choose_base(found, 200) == found[1]
    assert point_in_time.choose_base(found, None) == found[2]
    with pytest.raises(BackupError, match=r"before the oldest base backup, which is of 1970-01-01T00:01:40Z"):
        point_in_time.choose_base(found, 99)
    with pytest.raises(BackupError, match="backup_pitr was never on"):
        point_in_time.choose_base([], None)


def test_too_late_is_refused() -> None:
    """After the newest WAL of the base backup's history nothing is known, wherever that WAL is."""
    archive = {"7-1.1": files(2, written=500.0), "8-1.1": files(2, written=900.0)}
    point_in_time.refuse_late(base(100, 2), archive, 501, 0)
    point_in_time.refuse_late(base(100, 2), archive, None, 0)
    point_in_time.refuse_late(base(100, 2), {}, 600, 600)
    with pytest.raises(BackupError, match=r"after the newest WAL of that history, which is of 1970-01-01T00:08:20Z"):
        point_in_time.refuse_late(base(100, 2), archive, 600, 0)


@pytest.mark.parametrize("only", [[], ["redis"], ["postgresql", "redis"]])
def test_only_postgresql_has_times(only: list[str]) -> None:
    """The other stores have sets; and a set can't be named beside a time."""
    with pytest.raises(BackupError, match="expected --only postgresql"):
        point_in_time.plan(None, None, "latest", only)  # type: ignore[arg-type]
    with pytest.raises(BackupError, match="found --set as well"):
        point_in_time.plan(None, None, "latest", ["postgresql"], "a-set")  # type: ignore[arg-type]


def test_image_must_read_the_files() -> None:
    """A base backup is the engine's own files: another major version or collation does not read them."""
    part = {"image": {"engine_version": "15.20", "data_format": "15-glibc"}}
    point_in_time.refuse_image(part, {"engine_version": "15.21", "data_format": "15-glibc"}, base(1, 2))
    for here in (
        {"engine_version": "17.2", "data_format": "17-glibc"},
        {"engine_version": "15.20", "data_format": "x"},
    ):
        with pytest.raises(BackupError, match="which does not read its files"):
            point_in_time.refuse_image(part, here, base(1, 2))


def test_stale() -> None:
    """The promise is a minute."""
    assert point_in_time.commit_age_fault(60) == ""
    assert "is 61 s old, expected at most 60 s" in point_in_time.commit_age_fault(61)
    assert point_in_time.commit_age_fault(-1) == ""
    assert "3600 s ahead of this host's clock" in point_in_time.commit_age_fault(-3600)


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


def test_due_in_minutes() -> None:
    """WAL is saved more often than anything else."""
    assert is_due(0, "5min", 300)
    assert not is_due(0, "15min", 300)
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


def test_what_is_said() -> None:
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
    part = results.drill_result(drilled)
    assert any("RPO 8.0 s on this host, 700.0 s without it" in line for line in part.next)
    red = results.drill_result(drilled | {"verdict": "fail", "recovery": recovered(faults=["a gap"], verdict="fail")})
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
    lines = results.restore_result(restored).next
    assert any("PostgreSQL of latest (its last transaction is of 2026-11-25T01:10:00Z" in line for line in lines)
    assert any(re.match(r"Next: \./ready backup", line) for line in lines)
    for name, found in (("drill", drilled), ("restore", restored)):
        whole = json.loads((ROOT / "schemas" / "evidence" / f"{name}.schema.json").read_text())
        jsonschema.validate(found, whole["properties"]["results"])
