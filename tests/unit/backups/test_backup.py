"""What is decided about backup sets: what a manifest promises, what is refused, what restic is told."""

from __future__ import annotations

import copy
import json
from dataclasses import asdict
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import pytest
from ready.backups import backup, manifest, results, settings, workspace
from ready.backups.data_services import DUMPS, LOADS, with_data
from ready.backups.journal import Journal
from ready.backups.manifest import BackupError
from ready.backups.restic import errors, repository
from ready.checks.probes import PROBES
from ready.common.clock import timestamp
from ready.services.postgresql.backup import tolerant
from ready.services.redis.backup import keys, still_there
from ready.stack import schema
from ready.stack.definitions import load_definitions

IMAGE = {
    "ref": "ready/redis:7",
    "id": "sha256:" + "a" * 64,
    "digests": [],
    "source": "build",
    "data_format": "rdb-10",
    "engine_version": "7.0.15",
}
CONTENT = {
    "counts": {"db0.keys": 3, "db0.expires": 1},
    "checksums": {"digest": "abc"},
    "names": {},
    "samples": [
        {"key": "k1", "type": "string", "expires_at_ms": -1},
        {"key": "k2", "type": "string", "expires_at_ms": 1_000},
    ],
}


def a_part(**other: Any) -> dict[str, Any]:
    """Return a part of a manifest."""
    return {
        "consistent_at": "2026-11-24T21:00:00Z",
        "started_at": "2026-11-24T21:00:00Z",
        "finished_at": "2026-11-24T21:00:09Z",
        "outage_seconds": 0.0,
        "physical": True,
        "things": 3,
        "files": {"dump.rdb": {"size": 3, "sha256": "0" * 64}},
        "content": copy.deepcopy(CONTENT),
        "image": dict(IMAGE),
        **other,
    }


def a_manifest(**parts: dict[str, Any]) -> dict[str, Any]:
    """Return a manifest."""
    return {
        "schema": manifest.SCHEMA,
        "id": manifest.new_id(datetime(2026, 11, 24, 21, tzinfo=timezone.utc)),
        "stack": "ready",
        "host": "pc1",
        "level": "fuzzy",
        "safety": False,
        "started_at": "2026-11-24T21:00:00Z",
        "finished_at": "2026-11-24T21:00:10Z",
        "skew_seconds": 0.2,
        "ready_version": "0.1.0",
        "stateless": ["gateway"],
        "include": {},
        "parts": parts or {"redis": a_part()},
    }


def test_levels_have_names_and_former_names() -> None:
    """Either name of a level is understood; earlier versions read what is written, and people see the name."""
    assert [manifest.level_of(name) for name in ("per_service", "synchronized")] == ["fuzzy", "quiesced"]
    assert [manifest.level_of(name) for name in ("fuzzy", "quiesced")] == [manifest.PER_SERVICE, manifest.SYNCHRONIZED]
    item = {"id": "a", "time": "", "level": "quiesced", "safety": True, "services": ["redis"]}
    assert results.set_rows([item], None)[0]["level"] == "synchronized, safety"


def test_manifest_keeps_its_schema() -> None:
    """What is written is what the schema says, and the schema sees what is not."""
    good = a_manifest()
    assert schema.faults(good, "backup_manifest.schema.json") == []
    assert manifest.manifest_faults(good) == []
    assert schema.faults(good | {"level": "hot"}, "backup_manifest.schema.json")
    assert schema.faults(good | {"parts": {"redis": {"things": 1}}}, "backup_manifest.schema.json")
    assert manifest.manifest_faults({"schema": "ready/health/1"}) != []
    assert manifest.manifest_faults({key: value for key, value in good.items() if key != "parts"}) == [
        "manifest: found no parts"
    ]


def test_files_are_held_to_their_checksums(tmp_path: Path) -> None:
    """Truncated, flipped, gone: each is named."""
    (tmp_path / "dump.rdb").write_bytes(b"REDIS0010")
    part = {"files": manifest.describe_files(tmp_path, ["dump.rdb"])}
    assert manifest.file_faults(part, tmp_path) == []
    (tmp_path / "dump.rdb").write_bytes(b"REDIS0011")
    assert "SHA-256" in manifest.file_faults(part, tmp_path)[0]
    (tmp_path / "dump.rdb").write_bytes(b"REDIS")
    assert manifest.file_faults(part, tmp_path) == ["dump.rdb: found 5 bytes, expected 9"]
    (tmp_path / "dump.rdb").unlink()
    assert "no such file" in manifest.file_faults(part, tmp_path)[0]


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        ("counts", {"db0.keys": 2, "db0.expires": 1}, "counts db0.keys: found 2, expected 3"),
        ("checksums", {"digest": "abd"}, "checksums digest"),
        ("names", {"users": ["a"]}, "names users: found ['a'], expected None"),
        ("samples", CONTENT["samples"][:1], "sample k2: found None"),  # type: ignore[index]
    ],
)
def test_other_content_is_seen(kind: str, value: Any, message: str) -> None:
    """Each kind goes red by itself."""
    assert manifest.content_faults(CONTENT, CONTENT) == []
    (found,) = manifest.content_faults(CONTENT, {**CONTENT, kind: value})
    assert message in found


def test_many_differences_are_summed_up() -> None:
    """A table of hundreds that are all gone is reported in a few lines."""
    wanted = {"counts": {f"t{number}": 1 for number in range(100)}}
    assert manifest.content_faults(wanted, {})[-1] == "and 95 differences more"


def test_a_dump_that_lost_data() -> None:
    """Empty is never right where the store had something; fenced, both counts are equal."""
    assert manifest.dump_fault(5, 0, exact=False)
    assert not manifest.dump_fault(5, 4, exact=False)
    assert manifest.dump_fault(5, 4, exact=True)
    assert not manifest.dump_fault(0, 0, exact=True)


def test_skew() -> None:
    """Between the moments of the first and the last, unless writers were fenced."""
    assert manifest.skew({"a": 10.0, "b": 12.5, "c": 11.0}, fenced=False) == 2.5
    assert manifest.skew({"a": 10.0, "b": 12.5}, fenced=True) == 0.0


@pytest.mark.parametrize(
    ("here", "physical", "message"),
    [
        ({"engine_version": "7.0.15", "data_format": "rdb-10"}, True, ""),
        ({"engine_version": "7.2.1", "data_format": "rdb-10"}, True, ""),
        ({"engine_version": "7.0.14", "data_format": "rdb-10"}, True, "no engine loads the data of a newer one"),
        ({"engine_version": "6.2", "data_format": "rdb-10"}, True, "this stack runs 6.2"),
        ({"engine_version": "unknown", "data_format": "rdb-10"}, True, "this stack runs unknown"),
        ({"engine_version": "7.4.0", "data_format": "rdb-12"}, True, "format rdb-10, this stack's is rdb-12"),
        ({"engine_version": "7.4.0", "data_format": "rdb-12"}, False, ""),
    ],
)
def test_sets_that_this_stack_cannot_load(here: dict[str, str], physical: bool, message: str) -> None:
    """Newer ones, and files of another format; a logical dump may cross formats."""
    found = manifest.refusals(a_manifest(redis=a_part(physical=physical)), {"redis": here}, ["redis"])
    assert [message in text for text in found] == ([True] if message else [])


def test_a_set_without_a_part() -> None:
    """It says what it has."""
    (found,) = manifest.refusals(a_manifest(), {}, ["neo4j"])
    assert "no part of it; it has redis" in found


def test_age_is_that_of_the_oldest_part() -> None:
    """What would be lost."""
    made = a_manifest(a=a_part(), b=a_part(consistent_at="2026-11-24T21:00:30Z"))
    assert manifest.age(made, datetime(2026, 11, 24, 21, 1, tzinfo=timezone.utc)) == 60


def test_a_set_of_the_future() -> None:
    """A clock that ran ahead makes a set that stays the newest one: it is named, a clock's tolerance is not."""
    made = a_manifest(redis=a_part(consistent_at="2026-11-24T21:00:00Z"))
    assert manifest.future_fault(made, datetime(2026, 11, 24, 20, 59, 30, tzinfo=timezone.utc)) == ""
    assert "3600 s ahead" in manifest.future_fault(made, datetime(2026, 11, 24, 20, tzinfo=timezone.utc))


def test_evidence_names_no_user_data() -> None:
    """Tables, collections and keys stay in the set."""
    told = json.dumps(manifest.summary(a_manifest()))
    assert "k1" not in told
    assert "db0" not in told
    assert '"things": 3' in told


def test_the_given_restic_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where the distribution's is too old, the inventory's is used."""
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(repository, "GIVEN", tmp_path / "given")
    assert repository.program() is None
    (tmp_path / "restic").touch(mode=0o755)
    assert repository.program() == str(tmp_path / "restic")
    repository.GIVEN.touch(mode=0o755)
    assert repository.program() == str(repository.GIVEN)


def test_restic_arguments() -> None:
    """Retention keeps something, or is refused; tags say whose a set is."""
    assert repository.retention_arguments({"daily": 7, "weekly": 0}) == ["--keep-daily=7"]
    with pytest.raises(BackupError, match="nothing to keep"):
        repository.retention_arguments({"daily": 0})
    with pytest.raises(BackupError, match="yearly"):
        repository.retention_arguments({"yearly": 1})
    made = a_manifest()
    of_it = ["ready-set", f"set={made['id']}", "stack=ready", "level=fuzzy", "service=redis"]
    assert repository.set_tags(made) == [*of_it, "kind=regular"]
    assert repository.set_tags(made | {"safety": True}) == [*of_it, "safety"]


def test_the_newest_set() -> None:
    """By time; a safety set only by its name."""

    def snapshot(name: str, time: str, *tags: str) -> dict[str, Any]:
        return {"time": time, "tags": ["ready-set", f"set={name}", *tags]}

    sets = [
        snapshot("b", "2026-11-24T02:30:00.123456789+01:00"),
        snapshot("a", "2026-11-24T03:00:00.5+02:00"),  # an hour later on a clock that is two ahead
        snapshot("c", "2026-11-24T03:00:00Z", "safety"),
    ]
    assert repository.set_id_of(repository.newest(sets)) == "b"
    assert [repository.set_id_of(item) for item in repository.newest_first(sets)] == ["c", "b", "a"]
    assert [timestamp(repository.taken_at(item))[11:] for item in sets] == ["01:30:00Z", "01:00:00Z", "03:00:00Z"]
    assert repository.set_id_of(repository.newest(sets, "c")) == "c"
    with pytest.raises(BackupError, match="no set d"):
        repository.newest(sets, "d")
    with pytest.raises(BackupError, match="no set in"):
        repository.newest([])


@pytest.mark.parametrize(
    ("text", "meaning"),
    [
        ("Fatal: wrong password or no key found", "another key"),
        ("Fatal: unable to open config file: stat /x/config: no such file or directory", "there is no repository"),
        ("Fatal: create repository at /x failed: mkdir: no space left on device", "the disk is full"),
        ("subprocess ssh: Host key verification failed.", "host key is not the known one"),
        (
            "subprocess ssh: Offending ED25519 key in /x/known:1\nFatal: unable to open repository at sftp:y:/z: "
            "unable to start the sftp session, error: EOF",
            "host key is not the known one",
        ),
        ("Fatal: unable to open repository: unable to start the sftp session, error: EOF", "ssh says why"),
        ("something new", "restic: something new"),
    ],
)
def test_restic_is_translated(text: str, meaning: str) -> None:
    """Its words, and the next step where one is known."""
    assert meaning in errors.explain(text)
    assert " ".join(text.split()) in errors.explain(text)


def test_passwords_in_addresses_are_not_told() -> None:
    """A rest server's address may hold one."""
    assert errors.mask_password("rest:https://user:secret@host:8000/x") == "rest:https://user:***@host:8000/x"
    assert "secret" not in errors.explain("Fatal: rest:https://user:secret@host/x: refused")
    assert errors.mask_password("sftp:user@host:/x") == "sftp:user@host:/x"


def test_same_disk(tmp_path: Path) -> None:
    """A repository that does not exist yet is judged by where it will be; a remote one is elsewhere."""
    assert repository.same_disk(str(tmp_path / "not" / "yet"), tmp_path)
    assert not repository.same_disk("sftp:user@host:/x", tmp_path)
    assert not repository.same_disk("/proc/x", tmp_path)


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("restic 0.14.0 compiled with go1.19.8 on linux/amd64", ""),
        ("restic 0.16.4-dev (compiled manually) compiled with go1.22", ""),
        ("restic 1.0.0 compiled with go1.30", ""),
        ("restic 0.12.1 compiled with go1.18.1 on linux/amd64", "found 0.12.1, expected 0.14 or newer"),
        ("command not found", "found 'command not found', expected 0.14"),
    ],
)
def test_version_of_restic(text: str, fault: str) -> None:
    """Ubuntu 22.04 has 0.12: it is refused with what is expected and the next step."""
    found = repository.version_fault(text)
    assert (fault in found) if fault else found == ""
    assert ("Next: " in found) == bool(fault)


class Engine:
    """What Docker says of itself."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def info(self) -> dict[str, str]:
        """Return where it keeps its data."""
        return {"DockerRootDir": str(self.root)}


def test_where_data_are(tmp_path: Path) -> None:
    """Docker says it: its data may have been moved to another disk."""
    assert backup.data_root(Engine(tmp_path)) == tmp_path  # type: ignore[arg-type]


def test_globals_may_be_there_already() -> None:
    """CREATE ROLE alone is changed, with names that need quotes as well."""
    text = 'CREATE ROLE app;\nALTER ROLE app WITH LOGIN;\nCREATE ROLE "a b";\n'
    assert tolerant(text).splitlines() == [
        "DO $ready$ BEGIN CREATE ROLE app; EXCEPTION WHEN duplicate_object THEN NULL; END $ready$;",
        "ALTER ROLE app WITH LOGIN;",
        'DO $ready$ BEGIN CREATE ROLE "a b"; EXCEPTION WHEN duplicate_object THEN NULL; END $ready$;',
    ]


def test_redis_counts_and_samples() -> None:
    """INFO keyspace by database; samples whose time has passed are not asked for."""
    assert keys({"db0": {"keys": 3, "expires": 1, "avg_ttl": 0}}) == {"db0.keys": 3, "db0.expires": 1}
    assert [item["key"] for item in still_there(CONTENT, 999)["samples"]] == ["k1", "k2"]
    assert [item["key"] for item in still_there(CONTENT, 1000)["samples"]] == ["k1"]


def test_settings_on_disk(tmp_path: Path) -> None:
    """Exactly these files, mode 0600; a second time nothing differs, and check mode writes nothing."""
    root = tmp_path / "x"
    files = {"key": b"secret", "include/a": b"1"}
    assert settings.apply(root, files, 0o600, dry_run=True) == ["key", "include/a"]
    assert not root.exists()
    settings.apply(root, files, 0o600, dry_run=False)
    assert (root / "key").stat().st_mode & 0o777 == 0o600
    assert root.stat().st_mode & 0o077 == 0
    assert settings.apply(root, files, 0o600, dry_run=False) == []
    (root / "key").chmod(0o644)
    assert settings.apply(root, files, 0o600, dry_run=False) == ["key"]
    assert settings.apply(root, {"key": b"secret"}, 0o600, dry_run=False) == ["include/a"]
    assert not (root / "include/a").exists()


def test_journal(tmp_path: Path) -> None:
    """It stays while something is to be undone, and goes otherwise."""
    journal = Journal(tmp_path / "journal.json")
    assert journal.read() == {}
    journal.note(stopped=["neo4j"])
    journal.end()
    assert journal.read() == {"stopped": ["neo4j"]}
    journal.note(stopped=[])
    journal.end()
    assert journal.read() == {}
    assert not journal.path.exists()


def test_one_run_at_a_time(tmp_path: Path) -> None:
    """The second one is refused and told of the first."""
    first, second = (workspace.Workspace({"stack": {"name": "ready"}}, tmp_path) for _ in range(2))
    with first.exclusive(), pytest.raises(BackupError, match="another backup"), second.exclusive():
        raise AssertionError("both ran")
    with second.exclusive():
        pass


def test_every_service_with_data_is_backed_up() -> None:
    """A new service needs its dump and its load, and a probe that they ask with."""
    names = with_data({"services": load_definitions()})
    assert set(names) <= set(PROBES)
    assert set(names) == set(DUMPS) == set(LOADS)


def test_what_people_are_told() -> None:
    """The verdict, the figures, and what comes next; an error is the whole message."""
    found = {
        "manifest": a_manifest(),
        "seconds": 9.5,
        "verdict": "pass",
        "proof": {},
        "repository": {"location": "/mnt/x", "made": True, "bytes": 1},
        "warnings": ["same disk"],
        "healed": [],
        "error": "",
    }
    part = results.backup_result(found)
    assert part.verdict == "pass"
    assert part.rows[0]["what"] == "3 keys"
    assert any("same disk" in line for line in part.next)
    assert asdict(results.backup_result({"error": "no set was made: redis"})) == {
        "evidence": "backup",
        "verdict": "fail",
        "results": {"error": "no set was made: redis"},
        "rows": [],
        "next": ["no set was made: redis"],
    }


def test_recovery_sheet() -> None:
    """All that a new machine needs."""
    sheet = results.recovery_sheet("ready", "pc1", "sftp:host:/x", "the-key")
    assert "sftp:host:/x" in sheet
    assert "the-key" in sheet
    assert "./ready restore" in sheet
