"""Whole projects: which files are judged, what bad input costs, what the score is worth, what is kept between runs."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

import pytest
from ready.gold import __main__ as cli
from ready.gold.engine import Result, analyse
from ready.gold.files import PathError
from ready.gold.judge import UNREAD
from ready.gold.outputs import FORMATS
from ready.gold.rules import RULES
from ready.gold.score import results, rows, score
from ready.gold.standing import TARGET, verdict

SDK = "from kailash.workflow.builder import WorkflowBuilder\n"
BAD = "from kailash.nodes import *\n"
NODE = (
    "from kailash.nodes.base import Node, NodeParameter, register_node\n"
    "{mark}class {name}Node(Node):\n"
    "    def get_parameters(self):\n"
    "        return {{'n': NodeParameter(name='n', type=int)}}\n"
    "    def run(self, **kwargs):\n"
    "        return {{'n': kwargs['n']}}\n"
)


def project(place: Path, files: dict[str, str | bytes]) -> Path:
    """Write a project."""
    for name, text in files.items():
        path = place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return place


def lines(result: Result) -> list[str]:
    """Return "path:line rule" of each finding."""
    return [f"{item.path}:{item.line} {item.rule}" for judged in result.judged for item in judged.findings]


@pytest.mark.parametrize(
    ("name", "content", "found"),
    [
        ("broken.py", "def f(:\n", "a syntax error"),
        ("old.py", "print 'hello'\n", "Python 2"),
        ("old.py", "try:\n    pass\nexcept ValueError, error:\n    pass\n", "Python 2"),
        ("nulls.py", b"a = 1\n\0b = 2\n", "a null byte"),
        ("latin.py", b"a = '\xe4'\n", "codec"),
        ("declared.py", b"# coding: nonsense\na = 1\n", "encoding"),
        ("huge.py", b"a = 1\n" * 800_000, "4.8 MB"),
        ("deep.py", "x = " + "(" * 900 + ")" * 900 + "\n", "nested"),
        ("sum.py", "x = " + "-" * 100_000 + "1\n", "nested"),
    ],
)
def test_what_can_not_be_read(name: str, content: str | bytes, found: str, tmp_path: Path) -> None:
    """Is a finding with a line and a next step; the rest is judged."""
    result = analyse([project(tmp_path, {name: content, "good.py": SDK, "bad.py": BAD})])
    unread = [item for judged in result.judged for item in judged.findings if item.rule == UNREAD]
    assert [item.path for item in unread] == [name]
    assert found in unread[0].message
    assert "It is not judged" in unread[0].next
    assert "bad.py:1 GS02" in lines(result)
    assert score(rows(result), 1) <= 94


def test_latin_that_says_so(tmp_path: Path) -> None:
    """And a byte order mark, and Windows' line ends, are no faults."""
    files = {"a.py": b"# coding: latin-1\nb = '\xe4'\n", "b.py": b"\xef\xbb\xbfa = 1\r\nb = 2\r\n"}
    assert lines(analyse([project(tmp_path, dict(files))])) == []


def test_what_is_looked_at(tmp_path: Path) -> None:
    """Nobody's environment, no cache, nothing twice; a loop of links ends; a file that is named is judged."""
    files = {
        f"{name}/a.py": BAD for name in ("app", ".venv", "node_modules/x", "lib/site-packages", "build", "own", "gen")
    }
    root = project(tmp_path, {**files, "own/pyvenv.cfg": "", "notes.txt": BAD, "script": BAD})
    (root / "app/loop").symlink_to(root / "app")
    (root / "app/same.py").symlink_to(root / "app/a.py")
    assert lines(analyse([root], exclude=["gen/*"])) == ["app/a.py:1 GS02"]
    assert lines(analyse([root / "script"])) == ["script:1 GS02"]
    with pytest.raises(PathError, match="found nothing; expected a file or a directory"):
        analyse([root / "none"])


def test_no_permission() -> None:
    """A file and a directory that can't be read are findings; the rest is judged. Root may read all: it is nobody."""
    with tempfile.TemporaryDirectory() as place:
        root = project(Path(place), {"a.py": BAD, "b.py": SDK, "c/d.py": SDK})
        root.chmod(0o755)
        (root / "b.py").chmod(0)
        (root / "c").chmod(0)
        before = os.geteuid()
        os.seteuid(65534 if before == 0 else before)
        try:
            assert lines(analyse([root])) == ["a.py:1 GS02", "b.py:1 GS00", "c:1 GS00"]
        finally:
            os.seteuid(before)
            (root / "c").chmod(0o755)


def test_files_of_a_package_are_judged_together(tmp_path: Path) -> None:
    """Through a base class in another file, also where many processes judge."""
    base = NODE.format(mark="", name="Base").replace(
        "class BaseNode(Node)", "import abc\nclass BaseNode(Node, abc.ABC)"
    )
    files = {
        f"shop/n{number}.py": f"from shop.base import BaseNode\nclass N{number}Node(BaseNode): pass\n"
        for number in range(80)
    }
    root = project(tmp_path, {"shop/__init__.py": "", "shop/base.py": base, **files})
    one, many = (analyse([root], rules=["GS04"], jobs=jobs) for jobs in (1, 3))
    assert lines(one) == lines(many)
    assert len(lines(one)) == 80


def test_cache(tmp_path: Path) -> None:
    """What is unchanged is not read again; a change elsewhere that matters is seen; damage costs time alone."""
    root, kept = tmp_path / "project", tmp_path / "cache" / "kept.sqlite"
    good = NODE.format(mark="@register_node()\n", name="A")
    project(
        root,
        {
            "shop/__init__.py": "",
            "shop/a.py": good,
            "shop/b.py": "from shop.a import ANode as B\nclass CNode(B): pass\n",
        },
    )
    first = analyse([root], kept=kept)
    again = analyse([root], kept=kept)
    assert (first.cached, again.cached) == (0, 3)
    assert lines(first) == lines(again)
    assert "shop/b.py:2 GS04.missing" in lines(first)
    project(root, {"shop/a.py": "class ANode: pass\n"})
    assert "shop/b.py:2 GS04.missing" not in lines(analyse([root], kept=kept))
    kept.write_bytes(b"no database" * 500)
    assert lines(analyse([root], kept=kept)) == lines(analyse([root]))
    assert analyse([root], kept=kept).cached == 3


def test_trivial_files_raise_no_score(tmp_path: Path) -> None:
    """Neither empty ones nor ones that keep every rule."""
    root = project(tmp_path, {"bad.py": NODE.format(mark="", name="Bad"), "imports.py": BAD})
    rules = [rule.id for rule in RULES if rule.id not in {"GS19", "GS21"}]  # a plain base, no docstrings
    before = results(analyse([root], rules=rules))
    more: dict[str, str | bytes] = {
        f"good{number}.py": NODE.format(mark="@register_node()\n", name=f"A{number}") for number in range(50)
    }
    more |= {f"empty{number}.py": "" for number in range(200)} | {f"import{number}.py": SDK for number in range(200)}
    after = results(analyse([project(root, more)], rules=rules))
    assert after["score"] == before["score"] < TARGET
    assert verdict(results(analyse([root]))) == "fail"


def test_score(tmp_path: Path) -> None:
    """One critical violation fails it; missing docstrings alone do not; suppressions are counted and shown."""
    many = SDK + "".join(f"def f{number}():\n    pass\n" for number in range(200))
    assert results(analyse([project(tmp_path / "a", {"a.py": many})]))["score"] == 96.0
    root = project(tmp_path / "b", {"a.py": NODE.format(mark="", name="Bad")})
    assert results(analyse([root]))["score"] <= 94
    reason = NODE.format(mark="# ready: allow GS04 registered by the host\n", name="Bad")
    found = results(analyse([project(root, {"a.py": reason})], rules=["GS04", "GS05"]))
    assert found["allowed"] == [
        {"rule": "GS04.missing", "path": "a.py", "line": 3, "reason": "registered by the host"},
    ]
    no_reason = NODE.format(mark="# ready: allow GS04\n", name="Bad")
    assert lines(analyse([project(root, {"a.py": no_reason})], rules=["GS04"])) == ["a.py:3 GS04.missing"]


def test_a_project_without_kailash(tmp_path: Path) -> None:
    """Nothing is proven of it."""
    found = results(analyse([project(tmp_path, {"a.py": "import os\n"})]))
    assert (found["score"], verdict(found)) == (None, "insufficient_data")


WAIVING = "from kailash.nodes.base import Node, NodeParameter, register_node\n" + (
    "class ANode(Node):  # ready: allow GS04,GS19,GS21 legacy\n"
    "    def get_parameters(self):  # ready: allow GS21 legacy\n"
    "        return {'q': NodeParameter(name='q', type=str)}  # ready: allow SEC01 legacy\n"
    "    def run(self, **kwargs):  # ready: allow GS21 legacy\n"
    "        return {'q': kwargs['q']}\n"
)


def test_what_is_allowed_is_no_pass(tmp_path: Path) -> None:
    """A row that comments alone keep is waived; what does not lower its figure below the target leaves it a pass."""
    found = results(analyse([project(tmp_path / "a", {"a.py": WAIVING})]))
    assert (found["score"], found["registered_percent"], verdict(found)) == (100, 100, "waived")
    states = found["without_allowances"]
    assert {name for name, state in states.items() if state == "waived"} == {"registration", "parameters", "score"}
    mock = "from unittest.mock import MagicMock\ndef test_a():\n    MagicMock()  # ready: allow GS16 no test system\n"
    found = results(analyse([project(tmp_path / "b", {"a.py": SDK, "tests/integration/test_a.py": mock})]))
    assert (found["mocking_violations"], verdict(found)) == (0, "waived")
    assert found["without_allowances"]["imports"] == "waived"
    slight = SDK + "def f():  # ready: allow GS21 it is clear\n    pass\n"
    assert verdict(results(analyse([project(tmp_path / "c", {"a.py": slight})]))) == "pass"
    planted: dict[str, str | bytes] = {
        "a.py": SDK,
        "tests/unit/test_a.py": WAIVING,
    }  # a node that a unit test plants is not the application's
    assert verdict(results(analyse([project(tmp_path / "d", planted)]))) == "pass"


def test_what_is_left_out_is_no_pass(tmp_path: Path) -> None:
    """Patterns hide no violation from the report; what is left out and keeps the rules costs nothing."""
    root = project(tmp_path, {"a.py": SDK, "old/b.py": "import fcntl\nfrom .c import d\n", "vendor/c.py": "x = 1\n"})
    everything = analyse([root])
    found = results(analyse([root], exclude=["old/*"]), everything=everything)
    assert (found["score"], found["files_left_out"], verdict(found)) == (100, 1, "waived")
    states = found["without_allowances"]
    assert {name for name, state in states.items() if state == "waived"} == {"windows", "imports", "score"}
    project(root, {"old/b.py": "x = 1\n"})
    found = results(analyse([root], exclude=["vendor/*"]), everything=analyse([root]))
    assert verdict(found) == "pass"


def test_tests_alone_are_no_application(tmp_path: Path) -> None:
    """A path that is the tests' shows nothing of an application, however well they keep the rules."""
    root = project(tmp_path, {"tests/unit/test_a.py": SDK})
    found = results(analyse([root]))
    assert (found["sdk_files"], found["registered_percent"], verdict(found)) == (0, None, "insufficient_data")
    assert set(found["without_allowances"].values()) == {"insufficient_data"}
    assert "Tests alone import the Kailash SDK" in FORMATS["text"](analyse([root]))
    assert verdict(results(analyse([project(root, {"a.py": SDK})]))) == "pass"


def test_one_of_thousands_is_not_all(tmp_path: Path) -> None:
    """A share of 99.97 % is not rounded to 100."""
    fields = "".join(f"            'n{number}': NodeParameter(name='n{number}', type=int),\n" for number in range(2999))
    node = NODE.format(mark="@register_node()\n", name="Big").replace(
        "{'n': NodeParameter(name='n', type=int)}",
        "{\n" + fields + "            'q': NodeParameter(name='q', type=str)}",
    )
    found = results(analyse([project(tmp_path, {"a.py": node})]))
    assert (found["parameters"], found["parameter_security_percent"]) == (3000, 99.9)


def test_rules_that_were_not_asked_fail_nothing(tmp_path: Path) -> None:
    """By one rule that is kept nothing is shown, and nothing is said against the code."""
    root = project(tmp_path, {"a.py": SDK})
    assert verdict(results(analyse([root], rules=["GS09"]))) == "insufficient_data"
    project(root, {"a.py": BAD})
    assert verdict(results(analyse([root], rules=["GS01", "GS02", "GS03"]))) == "fail"


def test_lines(tmp_path: Path) -> None:
    """As `wc -l` counts them, and a last one without its end."""
    root = project(tmp_path, {"a.py": SDK * 3, "b.py": "x = 1\ny = 2", "c.py": ""})
    result = analyse([root])
    assert result.lines == 5
    assert "3 files, 5 lines in" in FORMATS["text"](result)


def test_text_says_what_was_asked_for(tmp_path: Path) -> None:
    """The threshold that decides, not another; no score of nothing; what is allowed, and why."""
    root = project(tmp_path, {"a.py": BAD + "import fcntl  # ready: allow WIN01 on servers alone\n"})
    assert "score: 98 of 100, expected at least 99\n1 file, 2 lines in" in FORMATS["text"](analyse([root]), 99)
    assert "a.py:2:1: WIN01: allowed by a comment: on servers alone" in FORMATS["text"](analyse([root]))
    none = FORMATS["text"](analyse([root / "a.py"], root, exclude=["*.py"]))
    assert "score: none. Found no Python file to judge" in none


def test_trend(tmp_path: Path) -> None:
    """What is new and what is fixed, by rule."""
    before = results(analyse([project(tmp_path, {"a.py": BAD, "b.py": BAD})]))
    found = results(
        analyse([project(tmp_path, {"a.py": SDK, "b.py": BAD + "try:\n    pass\nexcept:\n    pass\n"})]), before
    )
    assert found["trend"] == {"score": 0.0, "new": 1, "fixed": 1}
    moved = results(analyse([project(tmp_path, {"a.py": BAD, "b.py": SDK})], rules=["GS02"]), found)
    assert moved["trend"] is None, "other rules, other figures"
    before = results(analyse([project(tmp_path, {"a.py": BAD, "b.py": SDK})]))
    after = results(analyse([project(tmp_path, {"a.py": SDK, "b.py": BAD})]), before)
    assert after["trend"] == {"score": 0.0, "new": 1, "fixed": 1}, "one there, another here"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ([], 2),
        (["--threshold", "0"], 0),
        (["--threshold", "0", "--strict"], 2),
        (["--rules", "GS11"], 0),
        (["--diff"], 0),
    ],
)
def test_exit_codes(words: list[str], code: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """By the threshold."""
    root = project(tmp_path, {f"{name}.py": BAD for name in "abc"})
    assert cli.main([str(root), "--no-cache", *words]) == code
    capsys.readouterr()


@pytest.mark.parametrize("words", [["--rules", "GS99"], ["--threshold", "101"], ["--jobs", "-1"]])
def test_wrong_calls(words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Say what was expected."""
    assert cli.main([str(tmp_path), "--no-cache", *words]) == 64
    assert "expected" in capsys.readouterr().err


@pytest.mark.parametrize("words", [[], ["a.py", "--threshold", "abc"], ["a.py", "--format", "xml"], ["a.py", "--frm"]])
def test_wrong_calls_are_no_violations(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    """Their exit code is another one, and the message names the next step."""
    with pytest.raises(SystemExit) as ended:
        cli.main(words)
    assert ended.value.code == 64
    assert "Next: gold-standards --help" in capsys.readouterr().err


def test_packages_are_judged_whatever_their_name(tmp_path: Path) -> None:
    """A package called build or env is the project's own; what was built or installed there is not."""
    names = ("shop/__init__.py", "shop/env/a.py", "tools/build/__init__.py", "tools/build/b.py", "build/lib/c.py")
    root = project(tmp_path, {**dict.fromkeys(names, BAD), "venv/lib/d.py": BAD, "shop/env2/pyvenv.cfg": ""})
    root = project(root, {"shop/env2/lib/e.py": BAD})
    assert {line.partition(":")[0] for line in lines(analyse([root]))} == set(names[:4])


@pytest.mark.parametrize("pattern", ["vendor", "vendor/", "vendor/*", "v*/a.py"])
def test_patterns(pattern: str, tmp_path: Path) -> None:
    """Leave out a directory and what is in it, and files that are named."""
    root = project(tmp_path, {"vendor/a.py": BAD, "b.py": BAD})
    assert lines(analyse([root], exclude=[pattern])) == ["b.py:1 GS02"]
    assert lines(analyse([root / "vendor/a.py", root / "b.py"], root, exclude=[pattern])) == ["b.py:1 GS02"]


def test_fixtures_above_the_path(tmp_path: Path) -> None:
    """A conftest.py that pytest takes for a test is known, also where the test alone is judged; it is not judged."""
    fixture = (
        "import pytest\nfrom unittest.mock import MagicMock\n@pytest.fixture\ndef mailer():\n    return MagicMock()\n"
    )
    test = "def test_send(mailer):\n    mailer.send()\n"
    root = project(tmp_path, {"pyproject.toml": "", "tests/conftest.py": fixture, "tests/integration/test_a.py": test})
    for path in (root, root / "tests/integration", root / "tests/integration/test_a.py"):
        assert lines(analyse([path], rules=["GS16"])) == ["tests/integration/test_a.py:1 GS16.fixture"]


def test_fix(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Fixes are shown, then made; mode, encoding and line ends stay; a second time changes nothing."""
    text = (
        "# coding: latin-1\r\nname = 'ä'; from kailash.workflow import WorkflowBuilder as W\r\n" + BAD.strip() + "\r\n"
    )
    root = project(tmp_path, {"a.py": text.encode("latin-1")})
    (root / "a.py").chmod(0o750)
    cli.main([str(root), "--no-cache", "--diff"])
    assert "+name = 'ä'; from kailash.workflow.builder import WorkflowBuilder as W" in capsys.readouterr().out
    assert (root / "a.py").read_bytes() == text.encode("latin-1")
    cli.main([str(root), "--no-cache", "--fix"])
    capsys.readouterr()
    fixed = text.replace("kailash.workflow ", "kailash.workflow.builder ").encode("latin-1")
    assert (root / "a.py").read_bytes() == fixed
    assert (root / "a.py").stat().st_mode & 0o777 == 0o750
    cli.main([str(root), "--no-cache", "--fix"])
    assert (root / "a.py").read_bytes() == fixed


def test_the_rest_of_a_project_is_known(tmp_path: Path) -> None:
    """Also where some of its files are judged alone, as before a commit; nothing is said of the others."""
    base = NODE.format(mark="", name="Base")
    root = project(
        tmp_path,
        {
            "shop/__init__.py": "",
            "shop/a.py": base,
            "shop/b.py": "from shop.a import BaseNode\nclass C(BaseNode): pass\n",
        },
    )
    assert lines(analyse([root / "shop/b.py"], root, rules=["GS04"])) == ["shop/b.py:2 GS04.missing"]
    assert lines(analyse([root / "shop/b.py"], rules=["GS04"])) == []
