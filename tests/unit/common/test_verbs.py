"""How a verb is spelled, wherever it is: by the launcher, in a next step, in the docs."""

from __future__ import annotations

import re
import sys
from collections import Counter
from typing import Any

import pytest
import yaml
from ready.cli import commands, launcher
from ready.common.verbs import GROUPS, find, misspelt, page_of, verb_name
from ready.evidence import requirements
from ready.stack.argument_specs import verb_specs

from tests.unit.conftest import ROOT
from tests.unit.project.test_advice import sources
from tools import docs

VERBS = verb_specs()
HERE = [*VERBS, "test_app", "gold_standards", "windows_ping"]
#: A call of the launcher in a text, with the words that may be its verb.
CALL = re.compile(r"\./ready ([a-z_-]+(?: [a-z_-]+){0,2})")


@pytest.fixture
def more(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Add verbs that have no playbook here."""
    plain: dict[str, Any] = {"short_description": "Try it", "description": "Tries.", "options": {}}
    all_of = VERBS | dict.fromkeys(("test_app", "gold_standards", "windows_ping"), plain)
    for module in (launcher, commands, docs):
        monkeypatch.setattr(module, "verb_specs", lambda: all_of)
    return all_of


@pytest.mark.parametrize(
    ("playbook", "name", "page"),
    [
        ("up", "up", "up"),
        ("test_app", "test-app", "test-app"),
        ("gold_standards", "gold-standards", "gold-standards"),
        ("verify_certificate", "verify-certificate", "verify-certificate"),
        ("images_lock", "images lock", "images"),
        ("backup", "backup", "backup"),
        ("backup_list", "backup list", "backup"),
        ("windows_check", "windows check", "windows"),
        ("windows_port_list", "windows port-list", "windows"),
    ],
)
def test_name_and_page(playbook: str, name: str, page: str) -> None:
    """A group's verb is two words, every other one a single word."""
    assert (verb_name(playbook), page_of(playbook)) == (name, page)
    assert find(name.split(), [playbook]) == (playbook, len(name.split()))


def test_groups() -> None:
    """Verbs that share their first word are a group, unless that word is the launcher's own."""
    first = Counter(name.partition("_")[0] for name in VERBS)
    shared = {word for word, count in first.items() if count > 1}
    assert shared - set(launcher.LOCAL_VERBS) == GROUPS
    assert set(launcher.LOCAL_VERBS) & GROUPS == set(), "the launcher's own verb would hide it"


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("images lock --diff", ("images_lock", 2)),
        ("backup list", ("backup_list", 2)),
        ("backup --yes", ("backup", 1)),
        ("backup more", ("backup", 1)),
        ("test-app", ("test_app", 1)),
        ("windows ping pc1", ("windows_ping", 2)),
        ("test_app", (None, 0)),
        ("images_lock", (None, 0)),
        ("images-lock", (None, 0)),
        ("gold standards", (None, 0)),
        ("images", (None, 0)),
        ("", (None, 0)),
    ],
)
def test_find(words: str, found: tuple[str | None, int]) -> None:
    """By its own spelling alone."""
    assert find(words.split(), HERE) == found


@pytest.mark.parametrize(
    ("words", "meant"),
    [
        ("test app", "test-app"),
        ("test_app", "test-app"),
        ("test app --yes", "test-app"),
        ("gold standards .", "gold-standards"),
        ("gold_standards .", "gold-standards"),
        ("images_lock", "images lock"),
        ("images-lock --diff", "images lock"),
        ("test-app", ""),
        ("images lock", ""),
        ("windows ping pc1", ""),
        ("test --only lint", ""),
        ("test --step app", ""),
        ("windows", ""),
    ],
)
def test_misspelt(words: str, meant: str) -> None:
    """The other ways to join its words are seen, and what is right is left alone."""
    assert misspelt(words.split(), HERE)[1] == meant


def called(words: list[str], monkeypatch: pytest.MonkeyPatch) -> tuple[str, list[str]]:
    """Return which playbook the launcher would run, with which words."""
    seen: list[tuple[str, list[str]]] = []

    def run(playbook: str, rest: list[str]) -> int:
        seen.append((playbook, rest))
        return 0

    monkeypatch.setattr(launcher, "run_verb", run)
    assert launcher.main(words) == 0
    return seen[0]


def test_the_launcher_takes_it(more: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """With options before it, as any verb."""
    assert called(["-i", "x", "test-app", "--check"], monkeypatch) == ("test_app", ["-i", "x", "--check"])
    assert called(["gold-standards", "."], monkeypatch) == ("gold_standards", ["."])
    assert called(["windows", "ping", "pc1"], monkeypatch) == ("windows_ping", ["pc1"])
    assert "  test-app  " in launcher.overview()


def test_the_test_runner_stays(more: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    """`./ready test` is no beginning of another verb."""
    ran: list[list[str]] = []

    def run(command: list[str], **_: Any) -> int:
        ran.append(command)
        return 0

    monkeypatch.setattr(launcher, "_run", run)
    assert launcher.main(["test", "--only", "lint"]) == 0
    assert ran == [[sys.executable, "-m", "tools.testing", "--only", "lint"]]


def refused(words: list[str], capsys: pytest.CaptureFixture[str]) -> str:
    """Return what the launcher says of a wrong call."""
    with pytest.raises(SystemExit) as end:
        launcher.main(words)
    out, said = capsys.readouterr()
    assert (end.value.code, out) == (64, "")
    assert "Nothing was changed. Next: " in said
    return said


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("test app", "no verb 'test app'; did you mean test-app?"),
        ("test_app", "no verb 'test_app'; did you mean test-app?"),
        ("-i x test_app", "no verb 'test_app'; did you mean test-app?"),
        ("help test app", "no verb 'test app'; did you mean test-app?"),
        ("gold standards . deep", "no verb 'gold standards'; did you mean gold-standards?"),
        ("images_lock", "no verb 'images_lock'; did you mean images lock?"),
        ("tset-app", "no verb 'tset-app'; did you mean test-app?"),
    ],
)
def test_a_wrong_call(words: str, message: str, more: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """What was meant is named."""
    assert message in refused(words.split(), capsys)


def test_the_page_is_the_one_that_the_help_names(more: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    """The table of options is made for it."""
    with pytest.raises(SystemExit):
        launcher.main(["gold-standards", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert shown.startswith("usage: ./ready gold-standards ")
    assert "More: docs/verbs/gold-standards.md." in shown
    assert {"docs/verbs/test-app.md", "docs/verbs/gold-standards.md"} <= set(docs.blocks())
    assert "### ./ready windows ping" in docs.options_table("windows")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Next: ./ready test-app.", "Next: ./ready test-app -i inv."),
        ("./ready test-app again", "./ready test-app -i inv again"),
        ("./ready test --only lint", "./ready test --only lint"),
        ("./ready up-to-date", "./ready up-to-date"),
        ("./ready images lock; ./ready test-app", "./ready images lock -i inv; ./ready test-app -i inv"),
    ],
)
def test_a_next_step_is_completed(text: str, expected: str, more: dict[str, Any]) -> None:
    """Whether a verb is one word or two."""
    assert commands.complete_commands(text, ["-i", "inv"], "./ready") == expected


@pytest.mark.parametrize(("built", "note"), [(False, requirements.NOT_BUILT), (True, "")])
def test_the_report_names_it(built: bool, note: str) -> None:
    """The requirements name playbooks, the report's next steps what a user types."""
    data = yaml.safe_load(requirements.FILE.read_text())
    rows = requirements.parse(data, ["windows_check", *(["gold_standards", "test_app"] if built else [])], [])
    how = {row.evidence: row.source.how for row in rows.requirements.values()}
    assert how["gold_standards"] == f"./ready gold-standards{note}"
    assert how["test_app"] == f"./ready test-app{note}"
    assert "./ready windows check" in {row.windows for row in rows.requirements.values()}


def test_the_docs_name_it() -> None:
    """The table of evidence has no name of a playbook."""
    shown = docs.evidence_table()
    assert "| `gold-standards` | 30 days |" in shown
    assert "| `test-app` | 7 days |" in shown


def test_every_verb_that_is_named_is_spelled_so() -> None:
    """In the docs that people write, and in messages."""
    files = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *ROOT.glob("docs/**/*.md"), *sources()]
    calls = [(path.name, call.split()) for path in files for call in CALL.findall(path.read_text())]
    assert len(calls) > 200
    assert [(name, *misspelt(words, HERE)) for name, words in calls if any(misspelt(words, HERE))] == []
