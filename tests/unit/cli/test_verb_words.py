"""Words that a verb takes after its name: `./ready VERB PATH`, made of its spec and checked as its options are."""

from __future__ import annotations

from typing import Any

import pytest
from ready.cli import commands, launcher
from ready.cli.options import option_label, option_name, parser_of, typed_values, value_faults
from ready.stack.argument_specs import verb_specs

from tests.unit.common.test_verbs import refused
from tools import docs

VERBS = verb_specs()
#: Verbs with words of their own, as a playbook's meta file says it.
APPLICATION: dict[str, Any] = {
    "short_description": "Judge an application",
    "description": "Reads it.",
    "options": {
        "ready_path": {"type": "path", "access": "read", "positional": True, "required": True, "description": "Where."},
        "ready_level": {"type": "str", "positional": True, "choices": ["fast", "deep"], "description": "How."},
        "ready_samples": {"type": "int", "minimum": 1, "maximum": 9, "with": "ready_level", "description": "Many."},
        "ready_strict": {"type": "bool", "description": "Strictly."},
    },
}
PING: dict[str, Any] = {
    "short_description": "Ping",
    "description": "Asks a host.",
    "options": {
        "ready_host": {
            "type": "str",
            "positional": True,
            "pattern": "[a-z0-9-]+",
            "expected": "the name of a host",
            "description": "Which, all by default.",
        }
    },
}


@pytest.fixture
def more(monkeypatch: pytest.MonkeyPatch) -> None:
    """Add verbs with words to those that are here."""
    for module in (launcher, commands, docs):
        monkeypatch.setattr(module, "verb_specs", lambda: VERBS | {"gold_standards": APPLICATION, "windows_ping": PING})


@pytest.mark.usefixtures("more")
@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("gold-standards", "the following arguments are required: PATH"),
        ("gold-standards /no/such", "PATH: found nothing that can be read at /no/such, expected a path that exists"),
        ("gold-standards . quick", "LEVEL: found 'quick', expected one of fast, deep"),
        ("gold-standards . --samples 3", "--samples: found it without LEVEL, expected both"),
        ("gold-standards . deep more", "found the word 'more' after ./ready gold-standards PATH LEVEL, expected none"),
        ("gold-standards --path .", "no option --path of ./ready gold-standards; PATH is given without it"),
        ("gold-standards --path=.", "no option --path of ./ready gold-standards; PATH is given without it"),
        ("gold-standards . --strct", "no option --strct of ./ready gold-standards; did you mean --strict?"),
        ("gold-standards . more --strct", "no option --strct of ./ready gold-standards; did you mean --strict?"),
        ("windows ping PC_1", "HOST: found 'PC_1', expected the name of a host"),
        ("windows ping a b", "found the word 'b' after ./ready windows ping HOST, expected none"),
    ],
)
def test_a_wrong_call(words: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    """Words of a verb are checked as its options are."""
    assert message in refused(words.split(), capsys)


@pytest.mark.usefixtures("more")
def test_an_empty_word(capsys: pytest.CaptureFixture[str]) -> None:
    """A variable of the shell that is not set is no path."""
    assert "PATH: found nothing, expected a value" in refused(["gold-standards", ""], capsys)


@pytest.mark.parametrize(
    "words",
    [
        [".", "deep", "--strict", "--samples", "3", "-i", "x"],
        ["--strict", ".", "--samples", "3", "deep", "-i", "x"],
        ["-i", "x", "--samples=3", "--strict", ".", "deep"],
    ],
)
def test_words_among_options(words: list[str]) -> None:
    """They may stand anywhere; numbers are numbers."""
    arguments = parser_of("gold_standards", APPLICATION).parse(words)
    options = APPLICATION["options"]
    assert typed_values(options, arguments) == {
        "ready_path": ".", "ready_level": "deep", "ready_samples": 3, "ready_strict": True,
    }  # fmt: skip
    assert arguments["inventory"] == ["x"]


def test_a_word_that_may_be_left_out() -> None:
    """Has no value then, so that the playbook's default counts."""
    for words in ([], ["--check"], ["--limit", "a", "-v"]):
        arguments = parser_of("windows_ping", PING).parse(words)
        assert typed_values(PING["options"], arguments) == {}
        assert list(value_faults(PING["options"], arguments)) == []


@pytest.mark.usefixtures("more")
def test_help_shows_words(capsys: pytest.CaptureFixture[str]) -> None:
    """With what they may be; --path is no option."""
    with pytest.raises(SystemExit) as end:
        launcher.main(["gold-standards", "--help"])
    shown = " ".join(capsys.readouterr().out.split())
    assert end.value.code == 0
    assert shown.startswith("usage: ./ready gold-standards ")
    assert " PATH [LEVEL] " in shown
    assert "PATH Where." in shown
    assert "LEVEL How. One of fast, deep." in shown
    assert "--path" not in shown
    assert "More: docs/verbs/gold-standards.md." in shown


@pytest.mark.usefixtures("more")
def test_words_in_the_docs() -> None:
    """On the verb's page, each as it is given."""
    table = docs.options_table("gold-standards")
    assert "| `PATH` | `ready_path` | path | required | Where. |" in table
    assert "| `--strict` | `ready_strict` |" in table


def test_specs_of_words() -> None:
    """A word is one value; what must be given comes before what may be left out."""
    everywhere = {"inventory", "limit", "check", "diff", "verbose", "help"}
    for verb, spec in VERBS.items():
        assert not everywhere & set(map(option_name, spec.get("options", {}))), f"{verb}: a global option's name"
        words = [option for option in spec.get("options", {}).values() if "positional" in option]
        assert all(option["positional"] is True for option in words), verb
        assert {option["type"] for option in words} <= {"str", "path", "int", "float"}, verb
        needed = [option.get("required", False) for option in words]
        assert needed == sorted(needed, reverse=True), verb


@pytest.mark.usefixtures("more")
@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("./ready windows ping pc1", "./ready windows ping -i inv pc1"),
        ("./ready windows ping pc1 -i other", "./ready windows ping pc1 -i other"),
        ("./ready windows ping pc1 --limit a; more", "./ready windows ping pc1 --limit a -i inv; more"),
        ("`./ready gold-standards PATH --strict`", "`./ready gold-standards PATH --strict -i inv`"),
    ],
)
def test_a_next_step_with_words_is_completed(text: str, expected: str) -> None:
    """Words stay where they are."""
    assert commands.complete_commands(text, ["-i", "inv"], "./ready") == expected


def test_label() -> None:
    """What a user calls it."""
    assert option_label("ready_path", {"positional": True}) == "PATH"
    assert option_label("ready_key_file", {"positional": True}) == "KEY-FILE"
    assert option_label("ready_key_file", {}) == "--key-file"
