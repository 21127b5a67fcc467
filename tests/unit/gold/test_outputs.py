"""The forms of findings: each is what its readers take."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import jsonschema
import pytest
from ready.gold.engine import Result, analyse
from ready.gold.outputs import FORMATS

SCHEMA = Path(__file__).resolve().parents[2] / "gold" / "sarif-2.1.0.json"
FILES = {
    "shop/a b.py": "'ä'; from kailash.nodes import *\nx = 1\n",
    "shop/allowed.py": "from kailash.nodes import *  # ready: allow GS02 a plain page of the docs: 100 %, really\n",
    "broken.py": "def f(:\n",
    "control.py": "from kailash.nodes import X\nfrom kailash.workflow import WorkflowBuilder\n",
}


@pytest.fixture
def result(tmp_path: Path) -> Result:
    """Return what the rules say of a project with a file of each kind."""
    for name, text in FILES.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    return analyse([tmp_path])


def test_sarif(result: Result) -> None:
    """It fits the schema; columns count characters; what is allowed is suppressed; fingerprints are of the code."""
    log = json.loads(FORMATS["sarif"](result))
    jsonschema.Draft4Validator(json.loads(SCHEMA.read_text())).validate(log)
    run = log["runs"][0]
    by_uri = {item["locations"][0]["physicalLocation"]["artifactLocation"]["uri"]: item for item in run["results"]}
    found = by_uri["shop/a%20b.py"]
    assert found["locations"][0]["physicalLocation"]["region"]["startColumn"] == 6
    assert run["tool"]["driver"]["rules"][found["ruleIndex"]]["id"] == "GS02"
    assert by_uri["shop/allowed.py"]["suppressions"][0]["justification"].endswith("100 %, really")
    assert by_uri["broken.py"]["ruleId"] == "GS00"
    prints = [item["partialFingerprints"]["primaryLocationLineHash"] for item in run["results"]]
    path = result.root / "shop/a b.py"
    path.write_text("\n\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    moved = json.loads(FORMATS["sarif"](analyse([result.root])))["runs"][0]["results"]
    assert [item["partialFingerprints"]["primaryLocationLineHash"] for item in moved] == prints


def test_equal_lines_are_two_findings(tmp_path: Path) -> None:
    """Each has a fingerprint of its own: code scanning takes equal ones for one alert."""
    (tmp_path / "a.py").write_text("from kailash.nodes import *\n" * 3)
    log = json.loads(FORMATS["sarif"](analyse([tmp_path])))
    prints = [item["partialFingerprints"]["primaryLocationLineHash"] for item in log["runs"][0]["results"]]
    assert len(set(prints)) == len(prints) == 3


@pytest.mark.parametrize(
    ("repository", "cwd", "path"),
    [
        (".", ".", "app/src/a%20b.py"),
        (".", "app/src", "app/src/a%20b.py"),
        ("", "app", "src/a%20b.py"),
        ("", "other", "a%20b.py"),
    ],
)
def test_paths_are_those_of_the_repository(
    repository: str, cwd: str, path: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Code scanning and pull requests find the file, whatever part of the repository was judged, and from where."""
    place = tmp_path / "app" / "src"
    place.mkdir(parents=True)
    (place / "a b.py").write_text("from kailash.nodes import *\n")
    if repository:
        (tmp_path / ".git").mkdir()
    (tmp_path / "other").mkdir()
    monkeypatch.chdir(tmp_path / cwd)
    result = analyse([place])
    log = json.loads(FORMATS["sarif"](result))
    location = log["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["artifactLocation"]
    assert location["uri"] == path
    assert f"file={path.replace('%20', ' ')},line=1" in FORMATS["github"](result)
    suite = ElementTree.fromstring(FORMATS["junit"](result))[0]  # noqa: S314
    assert [case.get("file") for case in suite] == [path.replace("%20", " ")] * len(suite)


def test_junit(result: Result) -> None:
    """Numbers fit; control characters of code don't break it."""
    suite = ElementTree.fromstring(FORMATS["junit"](result))[0]  # noqa: S314
    assert suite.get("failures") == str(len(suite.findall("testcase/failure"))) == "4"
    assert suite.get("tests") == str(len(suite.findall("testcase")))


def test_github(result: Result) -> None:
    """A command per finding, each in one line."""
    lines = FORMATS["github"](result).splitlines()
    assert len(lines) == 4
    assert all(line.startswith(("::error file=", "::warning file=")) for line in lines)


def test_json(result: Result) -> None:
    """The same figures as the evidence."""
    found = json.loads(FORMATS["json"](result))
    assert found["findings_total"] == 4
    assert found["unread"] == 1
    assert found["import_violations"] == 3


def test_text(result: Result, monkeypatch: pytest.MonkeyPatch) -> None:
    """With the line of code, and paths that can be opened from where one is."""
    monkeypatch.chdir(result.root)
    shown = FORMATS["text"](result)
    assert "shop/a b.py:1:6: GS02: found `from kailash.nodes import *`" in shown
    assert "    | 'ä'; from kailash.nodes import *" in shown
    assert "1 allowed" in shown
