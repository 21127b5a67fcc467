"""The reference tables in docs/ are what the code reads, and the tool that says so sees when they are not."""

from __future__ import annotations

from pathlib import Path

import pytest
from ready.cli.options import option_name
from ready.stack.argument_specs import verb_specs
from ready.stack.definitions import load_definitions, override_names

from tools import docs

#: Made once: it reads everything that the pages are about.
BLOCKS = docs.blocks()


@pytest.mark.parametrize("page", BLOCKS)
def test_page_is_current(page: str) -> None:
    """Each page exists and its tables are those that `python tools/docs.py` writes."""
    before, after = docs.update(page, BLOCKS[page])
    assert before == after, "stale. Next: python tools/docs.py"


@pytest.fixture
def small(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a page of a project that has nothing else."""
    (tmp_path / "page.md").write_text("# A\n\n<!-- BEGIN KEYS -->\nold\n<!-- END KEYS -->\n\nend\n")
    monkeypatch.setattr(docs, "ROOT", tmp_path)
    monkeypatch.setattr(docs, "blocks", lambda: {"page.md": [("KEYS", "new")]})
    return tmp_path / "page.md"


def test_stale_page_is_shown_and_left(small: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--check prints the difference, exits 1 and writes nothing; without it the page is written, once."""
    before = small.read_text()
    assert docs.main(["--check"]) == 1
    assert "-old\n" in (shown := capsys.readouterr().out)
    assert "+new\n" in shown
    assert small.read_text() == before
    assert docs.main([]) == 0
    assert small.read_text() == "# A\n\n<!-- BEGIN KEYS -->\n\nnew\n\n<!-- END KEYS -->\n\nend\n"
    assert docs.main(["--check"]) == 0


@pytest.mark.parametrize(
    "text", ["no markers", "<!-- END KEYS --><!-- BEGIN KEYS -->", "<!-- BEGIN KEYS -->" * 2 + "<!-- END KEYS -->"]
)
def test_page_without_its_markers_is_named(small: Path, text: str, capsys: pytest.CaptureFixture[str]) -> None:
    """A page that lost its markers, and one that is gone, are faults."""
    small.write_text(text)
    assert docs.main([]) == 1
    assert "page.md: expected one line <!-- BEGIN KEYS -->" in capsys.readouterr().err
    assert small.read_text() == text
    small.unlink()
    assert docs.main(["--check"]) == 1
    assert "page.md: is missing" in capsys.readouterr().err


def test_markup_becomes_markdown() -> None:
    """Ansible's markup, and what would break a table."""
    assert docs.text("V(a) < C(x <y>|z), V({app: {login: other}}) L(there, https://example.com)") == (
        "`a` &lt; `x <y>\\|z`, `{app: {login: other}}` [there](https://example.com)"
    )


def test_defaults_of_a_service_come_from_its_definition() -> None:
    """Each overriding variable has a default; short values are shown, long ones pointed to."""
    definition = load_definitions()["redis"]
    defaults = docs.definition_defaults(definition)
    assert set(defaults) == set(override_names(definition))
    assert defaults["redis_port"] == "`6379`"
    assert defaults["redis_memory"] == "`256m`"
    assert defaults["redis_image"] == ""
    assert defaults["redis_health"] == "[services/redis.yml](../../services/redis.yml)"


def test_page_of_a_verb_has_all_its_options() -> None:
    """Under the names that the launcher takes."""
    table = docs.options_table("up")
    for variable in verb_specs()["up"]["options"]:
        assert f"| `--{option_name(variable)}` | `{variable}` |" in table
