"""What failed programs said, as a message has it: the line that says why is never cut off."""

from __future__ import annotations

from ready.common.output_excerpt import FIRST, LAST, excerpt


def test_little_is_told_whole() -> None:
    """In one line."""
    assert excerpt(b"one\n  two\n") == "one two"


def test_first_error_is_kept() -> None:
    """A long statement after it, and what went well before it, take its place no more."""
    before = "".join(f"pg_restore: creating TABLE error_log{number}\n" for number in range(100))
    error = "pg_restore: from TOC entry 3; 1259 7 INDEX places_ll\npg_restore: error: no such function\n"
    said = excerpt(before + error + "Command was: CREATE INDEX " + "x" * 5000 + "\nthe end")
    assert said.startswith("pg_restore: from TOC entry 3; 1259 7 INDEX places_ll pg_restore: error: no such function")
    assert said.endswith("the end")
    assert len(said) <= FIRST + LAST + 3


def test_without_an_error_both_ends_are_kept() -> None:
    """Most of it from the end."""
    said = excerpt("begin\n" + "word " * 1000 + "\nend")
    assert said.startswith("begin")
    assert said.endswith("end")
    assert len(said) <= FIRST + LAST + 3


def test_error_of_a_shell() -> None:
    """No word such as ERROR marks it."""
    said = excerpt("copied\n" * 400 + "cp: cannot stat 'a'\n" + "copied\n" * 400)
    assert said.startswith("copied cp: cannot stat 'a'")
