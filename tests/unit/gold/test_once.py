"""What is asked of a file, or of a project, is found out once, not for each place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

import pytest
from ready.gold import judge as judging
from ready.gold.index import Index, Summary
from ready.gold.rules import BY_ID
from ready.gold.summary import summarize

from tests.unit.gold.goldfiles import found, read

FLOW = (
    "from kailash.workflow.builder import WorkflowBuilder\nflow = WorkflowBuilder()\n"
    "flow.add_node('CSVReaderNode', 'read', {})\nflow.add_node('PriceNode', 'price', {})\n"
)
MOST = 20


class Sites(list[Any]):
    """A list that counts how often it is gone through."""

    times = 0

    def __iter__(self) -> Iterator[Any]:
        """Count."""
        self.times += 1
        return super().__iter__()


class Paths(dict[str, Summary]):
    """A dictionary that counts how often its items are asked for."""

    times = 0

    def items(self) -> Any:
        """Count."""
        self.times += 1
        return super().items()


def test_ids_of_nodes(monkeypatch: pytest.MonkeyPatch) -> None:
    """A generated workflow has thousands of connections."""
    counted: list[Sites] = []
    collect = vars(judging)["collect"]

    def counting(*given: Any) -> Any:
        found = collect(*given)
        counted.append(Sites(found.sites[ast.Call]))
        found.sites[ast.Call] = counted[0]
        return found

    monkeypatch.setattr(judging, "collect", counting)
    files = {"app.py": FLOW + "flow.add_connection('read', 'result', 'price', 'rows')\n" * 300}
    source = read(files)["app.py"]
    judged = judging.judge(source, Index([summarize(source)]), [BY_ID["GS12"]])
    assert judged.tallies["GS12"].applicable == 300
    assert 0 < counted[0].times <= MOST


def test_plugins() -> None:
    """A project has thousands of files of tests."""
    names = [f"tests/unit/test_{number}.py" for number in range(100)]
    sources = read(dict.fromkeys(names, "def test_a(): pass\n")).values()
    index = Index([summarize(source) for source in sources])
    counted = index.by_path = Paths(index.by_path)
    for source in sources:
        judging.judge(source, index, [BY_ID["GS16"]])
    assert counted.times <= MOST


def test_plugin_of_another_directory() -> None:
    """tests/ is not what is below tests_more/."""
    plugin = "from unittest.mock import MagicMock\nclient = MagicMock()\n"
    named = {"tests/conftest.py": "pytest_plugins = ['tests.shared.plugin']\n", "tests/shared/plugin.py": plugin}
    assert found({**named, "tests/integration/test_a.py": "def test_a(): pass\n"}, "GS16")
    assert not found({**named, "tests_more/integration/test_a.py": "def test_a(): pass\n"}, "GS16")
