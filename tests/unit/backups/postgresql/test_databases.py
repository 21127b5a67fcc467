"""Which databases of PostgreSQL a set holds, with which flags they come back, and when one would be lost."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ready.backups.manifest import BackupError, summary
from ready.backups.postgresql import closed_databases, lost_databases
from ready.backups.postgresql import databases as pg_databases
from ready.backups.postgresql.closed_databases import OpenedDatabases, OpenedRecord
from ready.backups.postgresql.databases import Database
from ready.backups.postgresql.psql import target
from ready.backups.postgresql.quoting import identifier
from ready.backups.restore import replaced_data
from ready.backups.service_states import ServiceStates
from ready.backups.workspace import Workspace

APP = Database("app", False, True, -1)
CLOSED = Database("closed", False, False, 7)
PATTERN = Database("pattern", True, True, -1)
INVALID = Database("gone", False, True, -2)
OWN = [Database("template0", True, False, -1), Database("template1", True, True, -1)]
ALL = [APP, CLOSED, INVALID, PATTERN, *OWN]
NOTHING: Any = None


def test_all_but_those_of_every_cluster_are_saved() -> None:
    """Neither being a template nor letting nobody in leaves one out; what can't be read is named."""
    assert pg_databases.saved(ALL) == [APP, CLOSED, PATTERN]
    assert pg_databases.closed(ALL) == [CLOSED]
    assert pg_databases.invalid(ALL) == ["gone"]
    assert pg_databases.readable(ALL) == ["app", "pattern", "template1"]
    (line,) = pg_databases.invalid_warnings(ALL)
    assert 'DROP DATABASE "gone"' in line


def test_manifest_has_every_name() -> None:
    """Those without a file are not in the set; an older manifest promises no flags; evidence has no names."""
    part = {"databases": pg_databases.as_manifest(ALL, {"app": "0", "closed": "1", "pattern": "2"}), "content": {}}
    assert set(part["databases"]) == {its.name for its in ALL}
    assert pg_databases.from_manifest(part) == [APP, CLOSED, PATTERN]
    assert pg_databases.from_manifest({}) == []
    assert summary({"parts": {"postgresql": part}})["parts"] == {"postgresql": {}}


def test_rows_are_parsed() -> None:
    """What the query prints is a list of databases."""
    row = {"name": "a\tb", "template": False, "connections": True, "limit": -1}
    assert pg_databases.parse(json.dumps([row])) == [Database("a\tb", False, True, -1)]


def test_flags_are_set_where_they_differ() -> None:
    """Only a database that is there and is not as it should be is altered."""
    opened_one = Database("closed", False, True, 0)
    assert pg_databases.flag_statements([APP, CLOSED, PATTERN], [APP, opened_one]) == [
        'ALTER DATABASE "closed" WITH IS_TEMPLATE False ALLOW_CONNECTIONS False CONNECTION LIMIT 7'
    ]
    assert pg_databases.still_opened([APP, CLOSED], [APP, opened_one]) == [CLOSED]
    # Somebody has opened it for good since.
    assert pg_databases.still_opened([CLOSED], [Database("closed", False, True, 7)]) == []
    assert pg_databases.still_opened([CLOSED], [CLOSED]) == []


@pytest.mark.parametrize(
    ("held", "lose", "lost"),
    [
        (None, [], ["gone"]),
        (None, ["gone"], []),
        (["app", "closed", "pattern"], [], ["gone"]),
        (["app"], ["gone"], ["closed", "pattern"]),
        (["app"], ["gone", "closed", "pattern"], []),
    ],
)
def test_what_would_be_lost(held: list[str] | None, lose: list[str], lost: list[str]) -> None:
    """A database that no set holds is lost, unless it was named."""
    assert pg_databases.would_be_lost(ALL, held, lose) == lost


def test_refusal_names_the_option() -> None:
    """So that one can be given for each."""
    text = pg_databases.loss_message(["a", "b"], "the safety set lacks")
    assert "--lose-database a --lose-database b" in text
    assert "Nothing was changed" in text


def a_set(name: str, *databases: str, safety: bool = False) -> dict[str, Any]:
    """Return a manifest of PostgreSQL with these databases."""
    its = {
        each: {"template": False, "connections": True, "limit": -1, "file": f"{number}.dump"}
        for number, each in enumerate(databases)
    }
    return {"id": name, "safety": safety, "parts": {"postgresql": {"databases": its}}}


SHOP = {"accounts": {"admin": {"login": "admin"}}, "databases": [{"name": "app"}, {"name": "shop"}]}


def test_database_that_a_set_lacks_is_named() -> None:
    """It is empty, or gone, after a restore that says pass; what it held is where the line says."""
    stack = {"services": {"postgresql": SHOP}}
    wanted, before = a_set("old", "app", "postgres"), a_set("new", "app", "postgres", "shop", "own", safety=True)
    own, shop = lost_databases.not_restored(wanted, stack, ["postgresql"], before)
    assert own == (
        "postgresql: the database own is not in set old, so nothing of it was restored; what it held is in set new"
    )
    assert shop == own.replace("database own", "database shop")
    assert lost_databases.not_restored(wanted, stack, ["postgresql"], None) == [shop.partition(";")[0]]
    assert lost_databases.not_restored(before, stack, ["postgresql"], before) == []
    assert lost_databases.not_restored(wanted, stack, ["redis"], before) == []


def test_without_a_safety_set_nothing_is_lost_unsaid(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What was added after the set is in no set: it goes where it is named alone."""
    live = [pg_databases.Database(name, False, True, -1) for name in ("app", "postgres", "shop")]
    states = ServiceStates(well=["postgresql"])
    monkeypatch.setattr(replaced_data, "set_incomplete_data_aside", lambda *_: None)
    monkeypatch.setattr(replaced_data, "read_service_states", lambda *_: states)
    monkeypatch.setattr(replaced_data, "refuse_replacement", lambda *_: None)
    monkeypatch.setattr(closed_databases, "read_databases", lambda *_: live)
    service = SHOP | {"container": "s-postgresql"}
    work = Workspace({"stack": {"name": "s", "services": {"postgresql": service}}}, tmp_path)
    client: Any = SimpleNamespace(containers=SimpleNamespace(get=lambda _: None))

    def secured(lose: list[str], wanted: Any) -> Any:
        return replaced_data.save_replaced_data(
            client, work, ["postgresql"], "h", safety=False, lose=lose, new_manifest=wanted
        )

    with pytest.raises(BackupError, match=r"found shop, which the set old lacks.*--lose-database shop"):
        secured([], a_set("old", "app", "postgres"))
    assert secured(["shop"], a_set("old", "app", "postgres")).safety is None
    assert secured([], a_set("new", "app", "postgres", "shop")).safety is None


def test_names_of_every_kind_are_quoted() -> None:
    """A quote in a database's name ends neither a connection string nor an identifier."""
    assert target("a'b\\", "admin") == "dbname='a\\'b\\\\' user='admin'"
    assert identifier('a"b') == '"a""b"'


class Server:
    """A cluster's answers to the statements of `Opened`, which notes whether the record was written before them."""

    def __init__(self, record: OpenedRecord, *databases: Database, system: str = "1", refuses: str = "") -> None:
        self.record, self.system, self.refuses = record, system, refuses
        self.databases = {its.name: its for its in databases}
        self.log: list[tuple[str, bool]] = []

    def ask(self, _container: Any, _login: str, *statements: str, database: str = "postgres") -> str:
        """Answer, and keep ALTER DATABASE."""
        assert database == "postgres"
        for statement in statements:
            if statement == pg_databases.QUERY:
                return json.dumps([vars(its) for its in self.databases.values()])
            if not statement.startswith("ALTER"):
                return self.system
            if self.refuses and self.refuses in statement:
                raise BackupError(self.refuses)
            self.log.append((statement, self.record.path.exists()))
        return ""


def server(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, **more: Any) -> Server:
    """Return a cluster with a closed database."""
    its = Server(OpenedRecord.of("s", tmp_path), APP, CLOSED, *OWN, **more)
    monkeypatch.setattr(closed_databases, "ask", its.ask)
    return its


def test_opening_is_on_record_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit that keeps all but superusers out comes before the door is opened; closing forgets the record."""
    its = server(monkeypatch, tmp_path)
    with OpenedDatabases(NOTHING, "admin", its.record) as inside:
        assert inside.names == ["app", "closed"]
        assert its.record.read() == {"system": "1", "databases": {"closed": 7}}
    assert its.log == [
        ('ALTER DATABASE "closed" CONNECTION LIMIT 0', True),
        ('ALTER DATABASE "closed" ALLOW_CONNECTIONS true', True),
        ('ALTER DATABASE "closed" ALLOW_CONNECTIONS false', True),
        ('ALTER DATABASE "closed" CONNECTION LIMIT 7', True),
    ]
    assert its.record.read() == {}


def test_what_could_not_be_closed_stays_on_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next run tries again."""
    its = server(monkeypatch, tmp_path, refuses="ALLOW_CONNECTIONS false")
    with pytest.raises(BackupError, match="ALLOW_CONNECTIONS false"), OpenedDatabases(NOTHING, "admin", its.record):
        pass
    assert its.record.path.exists()
    its.refuses = ""
    assert closed_databases.close_left_open(NOTHING, "admin", its.record) == ["closed"]
    assert its.record.read() == {}
    assert closed_databases.close_left_open(NOTHING, "admin", its.record) == []


def test_record_of_another_cluster_closes_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A restore has put a new cluster in place, whose database of that name is open by right."""
    its = server(monkeypatch, tmp_path, system="2")
    its.record.write("1", {"app": 3})
    assert closed_databases.close_left_open(NOTHING, "admin", its.record) == []
    assert its.log == []
    assert its.record.read() == {}


def test_dropped_database_is_no_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """What was dropped since needs no closing."""
    its = server(monkeypatch, tmp_path)
    its.record.write("1", {"dropped": 3})
    assert closed_databases.close_left_open(NOTHING, "admin", its.record) == []
    assert its.log == []


def test_damaged_record_is_told(tmp_path: Path) -> None:
    """Nobody would close the databases otherwise."""
    record = OpenedRecord.of("s", tmp_path)
    record.path.write_text("{")
    with pytest.raises(BackupError, match="can't be read"):
        record.read()


def test_nothing_closed_needs_no_record(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The ordinary case changes nothing."""
    its = Server(OpenedRecord.of("s", tmp_path), APP, PATTERN, *OWN)
    monkeypatch.setattr(closed_databases, "ask", its.ask)
    with OpenedDatabases(NOTHING, "admin", its.record):
        assert not its.record.path.exists()
    assert its.log == []


def test_file_of_a_database() -> None:
    """A manifest says it; in an older one the order of names does."""
    part = {"databases": pg_databases.as_manifest(ALL, {"app": "database0.dump", "pattern": "database1.dump"})}
    assert pg_databases.names_of_files(part) == {"database0.dump": "app", "database1.dump": "pattern"}
    older = {"content": {"names": {"databases": ["app", "postgres"]}}}
    assert pg_databases.names_of_files(older) == {"database0.dump": "app", "database1.dump": "postgres"}
