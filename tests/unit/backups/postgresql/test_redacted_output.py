"""No value of a row is shown: not by PostgreSQL's errors, in whatever line it is."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from ready.backups.manifest import BackupError
from ready.backups.postgresql import pg_restore
from ready.backups.postgresql.expressions import parse_evaluation
from ready.backups.postgresql.redacted_output import without_rows
from ready.docker import execute
from ready.docker.execute import Ran

#: Recorded from psql and pg_restore 15; what is secret begins with "geheim".
SAID = """\
psql:<stdin>:4: ERROR:  22P02: invalid input syntax for type integer: "geheim-1
geheim-2"
CONTEXT:  PL/pgSQL function public.num(text) line 1 at RETURN
LOCATION:  pg_strtoint32, numutils.c:232
ERROR:  22P02: invalid input syntax for type json
DETAIL:  Token "geheim" is invalid.
CONTEXT:  JSON data, line 1: {"geheim": x
ERROR:  22003: value "geheim 5" is out of range for type integer
ERROR:  22023: "geheim" is no "geheim" of ours
pg_restore: from TOC entry 3478; 0 16683 TABLE DATA items admin
pg_restore: error: COPY failed for table "items": ERROR:  invalid input syntax for type integer: "geheim-4"
CONTEXT:  COPY items, line 1, column n: "geheim-4"
pg_restore: from TOC entry 3479; 0 16684 TABLE DATA x admin
pg_restore: error: COPY failed for table "x": ERROR:  new row for relation "x" violates check constraint "x_v_check"
DETAIL:  Failing row contains (geheim,
geheim).
CONTEXT:  PL/pgSQL function public.known(text) line 1 at RETURN
COPY x, line 1: "geheim"
pg_restore: error: could not execute query: ERROR:  relation "words" does not exist
Command was: CREATE INDEX i ON public.x USING btree (v);
pg_restore: warning: errors ignored on restore: 3
"""
KEPT = """\
psql:<stdin>:4: ERROR:  22P02: invalid input syntax for type integer: "…"
CONTEXT:  PL/pgSQL function public.num(text) line 1 at RETURN
LOCATION:  pg_strtoint32, numutils.c:232
ERROR:  22P02: invalid input syntax for type json
CONTEXT:  JSON data, line 1
ERROR:  22003: value "…" is out of range for type integer
ERROR:  22023: "…" is no "…" of ours
pg_restore: from TOC entry 3478; 0 16683 TABLE DATA items admin
pg_restore: error: COPY failed for table "items": ERROR:  invalid input syntax for type integer: "…"
CONTEXT:  COPY items, line 1, column n
pg_restore: from TOC entry 3479; 0 16684 TABLE DATA x admin
pg_restore: error: COPY failed for table "x": ERROR:  new row for relation "x" violates check constraint "x_v_check"
CONTEXT:  PL/pgSQL function public.known(text) line 1 at RETURN
COPY x, line 1
pg_restore: error: could not execute query: ERROR:  relation "words" does not exist
Command was: CREATE INDEX i ON public.x USING btree (v);
pg_restore: warning: errors ignored on restore: 3"""


def test_values_go_and_names_stay() -> None:
    """Tables, columns, constraints and functions say where to look."""
    assert without_rows(SAID) == KEPT


def test_statements_are_left_as_they_are() -> None:
    """They are the schema's, and name the object."""
    text = 'psql:<stdin>:66: STATEMENT:  /* @ready constraint "a: b" of public.t @ready */ SELECT \': "x"\''
    assert without_rows(text) == text


def answered(monkeypatch: pytest.MonkeyPatch, code: int) -> None:
    """Let programs in a container say that, and end with this code."""
    monkeypatch.setattr(execute, "run", lambda *_, **__: Ran(code, SAID.encode(), b""))


def test_a_restore_names_no_value(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not of what it left out, not at the second try, not where it ended at the first error."""
    answered(monkeypatch, 1)
    container: Any = SimpleNamespace(name="scratch")
    failed = pg_restore.restore(container, "admin", "file")
    assert failed[0].why.endswith('type integer: "…" (COPY items, line 1, column n)')
    assert "geheim" not in str(failed)
    calls: list[Callable[[], object]] = [
        lambda: pg_restore.restore_whole(container, "admin", "file"),
        lambda: pg_restore.retry(container, "admin", "file", "app", failed),
    ]
    for call in calls:
        with pytest.raises(BackupError) as error:
            call()
        assert "invalid input syntax" in str(error.value)
        assert "geheim" not in str(error.value)


def test_second_try_says_no_more_than_the_error() -> None:
    """Neither row nor context, which psql adds otherwise."""
    assert "-v VERBOSITY=terse" in pg_restore._RETRY


def test_a_proof_names_no_value() -> None:
    """Its faults are reported, and kept in evidence."""
    text = SAID.partition("ERROR:  22P02: invalid input syntax for type json")[0]
    text += "psql:<stdin>:4: STATEMENT:  /* @ready index public.i @ready */ SELECT 1\n"
    (fault,) = parse_evaluation("", text).faults
    assert fault == (
        'index public.i: invalid input syntax for type integer: "…" '
        "(PL/pgSQL function public.num(text) line 1 at RETURN)"
    )
