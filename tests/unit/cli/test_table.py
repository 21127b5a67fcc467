"""Tables for people: plain where nobody sees colours, and nothing that a service says is markup."""

from __future__ import annotations

from ready.cli.table import render

COLUMNS = [{"key": "service", "title": "Service"}, {"key": "state", "title": "State"}]


def test_plain_text_has_no_escape_codes() -> None:
    """A log gets a title, a table and lines; a missing value shows as a dash."""
    text = render("pc1", COLUMNS, [{"service": "redis", "state": "fail"}, {"service": "neo4j"}], ["done"])
    assert text.splitlines() == ["pc1", "Service   State", "─" * 15, "redis     fail", "neo4j     -", "done"]


def test_verdicts_are_coloured_where_colours_are_seen() -> None:
    """Only where they are the whole of a cell."""
    text = render(columns=COLUMNS, rows=[{"service": "fail over", "state": "fail"}], colour=True)
    assert "\x1b[1;31mfail " in text
    assert "\x1b[1;31mfail over" not in text


def test_markup_is_text() -> None:
    """A health test may well say [CMD]; nobody's brackets vanish, and long lines are not cut."""
    text = render(
        "[bold]a[/bold]", COLUMNS, [{"service": "[red]x[/red]", "state": ":smile:"}], ["[/nothing] " + "y" * 200]
    )
    assert "[bold]a[/bold]" in text
    assert "[red]x[/red]" in text
    assert ":smile:" in text
    assert "[/nothing] " + "y" * 200 in text


def test_narrow_terminal_wraps_cells() -> None:
    """No line is wider than the terminal, and nothing is lost."""
    text = render(columns=COLUMNS, rows=[{"service": "s" * 50, "state": "t" * 50}], width=40)
    assert max(map(len, text.splitlines())) <= 40
    assert text.count("s") == 50


def test_a_command_is_not_broken() -> None:
    """Its words stay together where they fit, so that it can be pasted, and completed."""
    columns = [{"key": "what", "title": "What"}, {"key": "next", "title": "Next"}]
    rows = [{"what": "w" * 20, "next": "first of all do ./ready images lock then again"}]
    text = render(columns=columns, rows=rows, width=50)
    assert any("./ready images lock" in line for line in text.splitlines()), text
