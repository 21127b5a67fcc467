"""Errors recognized by their text: the first one of a table counts."""

from __future__ import annotations

from ready.common.known_errors import KnownError, first_match

DISK = KnownError(r"no space left", "the disk is full", "make room on it")
NAME = KnownError(r"Unknown host", "the name is not known", "see its DNS", ignore_case=False)


def test_the_first_match_counts() -> None:
    """Of two that match the table's order decides; none is none."""
    text = "write failed: No space left on device; Unknown host"
    assert first_match((DISK, NAME), text) is DISK
    assert first_match((NAME, DISK), text) is NAME
    assert first_match((DISK, NAME), "it went well") is None


def test_case_counts_where_the_table_says_so() -> None:
    """A program that always prints the same words is matched by them exactly."""
    assert DISK.matches("NO SPACE LEFT")
    assert not NAME.matches("unknown host")
