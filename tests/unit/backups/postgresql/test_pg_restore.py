"""What pg_restore says that it could not restore, and what then is expected of the rest."""

from __future__ import annotations

from ready.backups.postgresql.pg_restore import Failure, failures, parse_contents, without_missing

SAID = """\
pg_restore: creating TABLE "public.error: none"
pg_restore: processing data for table "public.doms"
pg_restore: while PROCESSING TOC:
pg_restore: from TOC entry 3478; 0 16683 TABLE DATA doms admin
pg_restore: error: COPY failed for table "doms": ERROR:  relation "words" does not exist
LINE 1: EXISTS (SELECT FROM words WHERE w = t)
CONTEXT:  PL/pgSQL function public.known(text) line 1 at RETURN
COPY doms, line 1, column d: "b"
pg_restore: from TOC entry 3327; 1259 16666 INDEX places_ll admin
pg_restore: error: could not execute query: ERROR:  type "earth" does not exist
CONTEXT:  SQL function "ll_to_earth" during inlining
Command was: CREATE INDEX places_ll ON public.places USING gist (public.ll_to_earth(lat, lon));

pg_restore: error: could not execute query: ERROR:  a second one of the same entry
pg_restore: warning: errors ignored on restore: 3
"""


def test_each_object_is_named_once() -> None:
    """With its first error, and the function that the error is in."""
    assert failures(SAID) == [
        Failure(
            "3478",
            "TABLE DATA doms admin",
            'COPY failed for table "doms": ERROR:  relation "words" does not exist '
            "(PL/pgSQL function public.known(text) line 1 at RETURN)",
        ),
        Failure(
            "3327",
            "INDEX places_ll admin",
            'could not execute query: ERROR:  type "earth" does not exist (SQL function "ll_to_earth" during inlining)',
        ),
    ]


def test_contents_are_read() -> None:
    """Comments of the list are none of them."""
    text = ";\n; Archive created at 2026\n;\n3478; 0 16683 TABLE DATA public doms admin\n"
    assert parse_contents(text) == {"3478": "TABLE DATA public doms admin"}


def test_only_what_is_missing_is_not_expected() -> None:
    """The rows of a table, or a whole database; all others have to be there."""
    counts = {"app.public.doms": 1, "app.public.words": 2, "app.a.b.c": 3, "gone.public.t": 4, "gone2.public.t": 5}
    content = {
        "counts": counts,
        "checksums": dict.fromkeys(counts, "x"),
        "names": {"databases": ["app", "gone", "gone2"], "flags": ["app: f", "gone: f"], "roles": ["r"]},
        "samples": [],
    }
    missing = {"app": [Failure("1", "TABLE DATA public doms admin", ""), Failure("2", "TABLE a.b c admin", "")]}
    rest = without_missing(content, missing, {"gone"})
    assert rest["counts"] == {"app.public.words": 2, "gone2.public.t": 5}
    assert set(rest["checksums"]) == set(rest["counts"])
    assert rest["names"] == {"databases": ["app", "gone2"], "flags": ["app: f"], "roles": ["r"]}
    index = {"app": [Failure("3", "INDEX public words admin", "")]}
    assert without_missing(content, index, ())["counts"] == counts
