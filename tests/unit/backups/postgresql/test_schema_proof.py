"""What evaluating PostgreSQL's expressions has shown, and what of it is reported."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from ready.backups.manifest import BackupError
from ready.backups.postgresql import schema_proof, schema_proof_report
from ready.backups.postgresql.databases import Database
from ready.backups.postgresql.expressions import EVALUATE, Evaluation, parse_evaluation
from ready.backups.results import backup_result, drill_result, proof_faults, restore_result
from ready.backups.timer import faults
from ready.docker import execute

ERRORS = """\
psql:<stdin>:66: ERROR:  42P01: relation "words" does not exist
LINE 1: EXISTS (SELECT FROM words WHERE w = t)
QUERY:  EXISTS (SELECT FROM words WHERE w = t)
CONTEXT:  PL/pgSQL function public.known(text) line 1 at RETURN
LOCATION:  parserOpenTable, parse_relation.c:1392
psql:<stdin>:66: STATEMENT:  /* @ready constraint c of public.texts @ready */ SELECT 1
psql:<stdin>:66: ERROR:  57014: canceling statement due to statement timeout
LOCATION:  ProcessInterrupts, postgres.c:3405
psql:<stdin>:66: STATEMENT:  /* @ready materialized view public.slow @ready */ SELECT 2
ERROR:  25006: cannot execute INSERT in a read-only transaction
STATEMENT:  /* @ready index public.writes @ready */ SELECT 3
"""


def test_errors_are_told_apart() -> None:
    """An error of a restore is a fault; a timeout or a write says nothing of one, and that is reported."""
    found = parse_evaluation('["index public.i", 3, 0]\n["constraint k of public.t", 0, 0]\n', ERRORS)
    assert (found.objects, found.rowless) == (2, 1)
    assert found.faults == [
        'constraint c of public.texts: relation "words" does not exist '
        "(PL/pgSQL function public.known(text) line 1 at RETURN)"
    ]
    assert found.unproven == [
        "materialized view public.slow: canceling statement due to statement timeout",
        "index public.writes: cannot execute INSERT in a read-only transaction",
    ]


def test_constraint_that_is_false_is_a_fault() -> None:
    """Such a row is refused by COPY, with no error in the expression itself."""
    (fault,) = parse_evaluation('["constraint k of public.t", 5, 2]', "").faults
    assert fault == "constraint k of public.t: found 2 of 5 rows for which it is false"


def test_policies_are_not_evaluated() -> None:
    """One that calls current_setting() fails for the account, not for a restore: such a table is not proved."""
    assert "SET row_security = off;" in EVALUATE.partition("WITH tables")[0]
    text = (
        'psql:<stdin>:68: ERROR:  42501: query would be affected by row-level security policy for table "t"\n'
        "psql:<stdin>:68: STATEMENT:  /* @ready constraint c of public.t @ready */ SELECT 1\n"
    )
    found = parse_evaluation("", text)
    assert found.faults == []
    assert found.unproven == [
        'constraint c of public.t: query would be affected by row-level security policy for table "t"'
    ]


@pytest.mark.parametrize("after", ["", ERRORS])
def test_error_without_object_is_not_lost(after: str) -> None:
    """When the question itself fails nothing was evaluated, which must not be taken for proved."""
    with pytest.raises(BackupError, match="permission denied"):
        parse_evaluation("", f"ERROR:  42501: permission denied\nSTATEMENT:  WITH tables AS\n{after}")


def test_a_container_of_before_is_not_proved(monkeypatch: pytest.MonkeyPatch) -> None:
    """It has no role that may read everything: what to do is said, and its set is made."""
    said = b"psql: error: connection to server on socket failed: fe_sendauth: no password supplied"
    monkeypatch.setattr("ready.docker.execute.run", lambda *_, **__: execute.Ran(2, b"", said))
    found = schema_proof.evaluate(None, ["app"], [])  # type: ignore[arg-type]
    assert (found.faults, len(found.unproven)) == ([], 1)
    assert found.unproven[0].startswith("app: not evaluated by ready_reader: psql ended with 2: ")
    assert "Next: ./ready up where the container is of an earlier version" in found.unproven[0]
    assert "hba_file or ident_file" in found.unproven[0], "which `up` changes nothing about"


def test_database_that_does_not_let_the_reader_in(monkeypatch: pytest.MonkeyPatch) -> None:
    """PUBLIC may have no right to connect: the grant that helps is said."""
    said = b'FATAL:  permission denied for database "a-b"\nDETAIL:  User does not have CONNECT privilege.'
    monkeypatch.setattr("ready.docker.execute.run", lambda *_, **__: execute.Ran(2, b"", said))
    (line,) = schema_proof.evaluate(None, ["a-b"], []).unproven  # type: ignore[arg-type]
    assert line.endswith('. Next: GRANT CONNECT ON DATABASE "a-b" TO ready_reader')


def test_same_schema_is_not_proved_again() -> None:
    """A new one is."""
    proved = schema_proof.remembered(
        schema_proof.make_proof("a", "2026-01-01", Evaluation(unproven=["slow view"]), [], 0.0)
    )
    found = schema_proof.earlier_proof("a", proved)
    assert found is not None
    assert found["state"] == "known"
    assert proved["at"] in schema_proof_report.lines(found)[0]
    assert "slow view" in schema_proof_report.lines(found)[1], "what was not proved then is not proved now"
    assert schema_proof.earlier_proof("b", proved) is None
    assert schema_proof.earlier_proof("a", {}) is None


@pytest.mark.parametrize(
    ("live", "state"),
    [
        (Evaluation(unproven=["wide view"]), "known"),
        (Evaluation(), "known"),
        (Evaluation(faults=["app: why"]), "failed"),
    ],
)
def test_what_was_not_proved_is_tried_again(monkeypatch: pytest.MonkeyPatch, live: Evaluation, state: str) -> None:
    """A timeout of once is none for ever; what is found now counts, and is known next time."""
    from ready.services.postgresql.backup import PostgreSQLDump  # brings its driver along

    dump: Any = object.__new__(PostgreSQLDump)
    dump.container, dump.login = None, "admin"
    dump.opened = SimpleNamespace(names=["app"], found=[Database("app", False, True, -1)])
    dump.proved = {"fingerprint": "a", "at": "2026-01-01", "unproven": ["slow view"]}
    dump._restore_schema = lambda *_: pytest.fail("the schema in scratch was proved")
    monkeypatch.setattr(schema_proof, "fingerprint", lambda *_: "a")
    monkeypatch.setattr(schema_proof, "evaluate", lambda *_: live)
    found = dump._prove(Path("/none"))
    assert (found["state"], found["faults"], found["unproven"]) == (state, live.faults, live.unproven)
    new = {"fingerprint": "a", "at": "2026-01-01", "unproven": live.unproven}
    assert schema_proof.to_remember({"postgresql": found}) == ({} if live.faults else {"postgresql": new})
    dump.proved = new
    monkeypatch.setattr(schema_proof, "evaluate", lambda *_: live if live.unproven else pytest.fail("all was proved"))
    if not live.faults:
        assert dump._prove(Path("/none"))["state"] == "known"


def test_closed_database_is_said_to_be_closed(monkeypatch: pytest.MonkeyPatch) -> None:
    """While a set is made it is open for superusers, and PostgreSQL tells `monitor` of too many connections."""
    from ready.services.postgresql.backup import PostgreSQLDump

    def answer(_container: object, where: str, _script: str) -> tuple[str, str]:
        if "closed" in where:
            raise BackupError('FATAL: too many connections for database "closed"')
        return "", ""

    dump: Any = object.__new__(PostgreSQLDump)
    dump.container, dump.login, dump.passwords = None, "admin", {}
    dump.service = {"accounts": {"monitor": {"login": "ready_monitor"}}}
    found = [Database("app", False, True, -1), Database("closed", False, False, -1)]
    dump.opened = SimpleNamespace(names=["app", "closed"], found=found)
    monkeypatch.setattr(schema_proof, "_script", answer)
    monkeypatch.setattr(schema_proof, "fingerprint", lambda *_: "a")
    dump.proved, dump._restore_schema = {}, lambda *_: []
    proof = dump._prove(Path("/none"))
    assert (proof["state"], proof["unproven"]) == ("proved", ["closed: it is closed, so nothing of it was evaluated"])


@pytest.mark.parametrize(
    ("live", "schema", "state"),
    [(Evaluation(), [], "proved"), (Evaluation(faults=["a"]), [], "failed"), (Evaluation(), ["b"], "failed")],
)
def test_both_proofs_count(live: Evaluation, schema: list[str], state: str) -> None:
    """The schema in scratch, and the expressions on the running server."""
    proof = schema_proof.make_proof("a", "now", live, schema, 0.0)
    assert proof["state"] == state
    assert proof["faults"] == [*live.faults, *schema]


def test_words_say_what_was_proved() -> None:
    """Not that it can be restored: only a drill says so."""
    (said,) = schema_proof_report.lines(schema_proof.make_proof("a", "now", Evaluation(objects=7, rowless=2), [], 0.0))
    assert "7 expressions" in said
    assert "2 of them on no row" in said
    assert "drill" in said
    assert "not proved: no memory" in schema_proof_report.lines(schema_proof.failed_proof("no memory"))[0]


def made(*found: str) -> dict[str, Any]:
    """Return what `backup.run` returns of a set with these faults."""
    proof = schema_proof.make_proof("a", "now", Evaluation(faults=list(found)), [], 0.0)
    part = {"things": 1, "files": {"a": {"size": 1}}, "outage_seconds": 0, "consistent_at": "now"}
    return {
        "manifest": {"id": "set", "level": "fuzzy", "skew_seconds": 0, "parts": {"postgresql": part}},
        "verdict": "fail" if found else "pass",
        "proof": {"postgresql": proof},
        "healed": [],
        "warnings": [],
        "seconds": 1,
        "repository": {"location": "/r"},
    }


def test_set_that_cannot_be_restored_fails_and_is_kept() -> None:
    """Database, object and cure are named, by the verb and by a timer."""
    found = made("app: index public.i: no such function")
    part = backup_result(found)
    assert part.verdict == "fail"
    assert part.rows[0]["verdict"] == "fail"
    said = " ".join(part.next)
    assert "The set is kept" in said
    assert "app: index public.i: no such function" in said
    assert "ALTER FUNCTION" in said
    assert "index public.i" in faults({"results": found})
    assert backup_result(made()).verdict == "pass"
    assert proof_faults(made()) == {}


def test_what_a_restore_left_out_is_named() -> None:
    """And what came back at the second try."""
    its = {"verdict": "pass", "faults": [], "seconds": 1, "asked": [], "logins": 4, "image": "i", "things": 1}
    found = {
        "verdict": "fail",
        "healed": [],
        "warnings": ["a warning"],
        "set": "s",
        "rto_seconds": 1,
        "outage_seconds": 1,
        "safety_set": "before",
        "services": {
            "postgresql": {**its, "missing": ["app: INDEX public i: why"], "retried": ["app: INDEX public j"]}
        },
    }
    part = restore_result(found)
    assert part.verdict == "fail"
    assert part.rows[0]["verdict"] == "fail"
    said = " ".join(part.next)
    for words in ("a warning", "missing", "INDEX public i: why", "own search_path alone: app: INDEX public j"):
        assert words in said


def test_accounts_that_nobody_asked_are_named() -> None:
    """A drill that passes says what it has not tried."""
    its = {"verdict": "pass", "faults": [], "seconds": 1, "asked": ["counts"], "logins": 4, "image": "i", "things": 1}
    found = {"verdict": "pass", "healed": [], "set": "s", "level": "fuzzy", "rto_seconds": 1, "rpo_seconds": 1}
    part = drill_result({**found, "services": {"postgresql": {**its, "unasked": ["shop"]}}})
    assert part.rows[0]["detail"] == "counts; 4 logins, none of shop, not made here yet (Next: ./ready up); i"
    assert drill_result({**found, "services": {"postgresql": its}}).rows[0]["detail"] == "counts; 4 logins; i"
