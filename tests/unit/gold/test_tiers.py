"""Which tier a test is of: by its marker, or else by its path."""

from __future__ import annotations

from pathlib import Path

import pytest
from ready.gold.engine import analyse
from ready.gold.tiers import by_path, is_test, project_of

from tests.unit.gold.goldfiles import found

AT = "tests/integration/test_a.py"
MOCK = "from unittest.mock import MagicMock\n"


@pytest.mark.parametrize(
    ("path", "tier"),
    [
        ("tests/unit/test_a.py", "unit"),
        ("tests/integration/test_a.py", "integration"),
        ("tests/integration/helpers/http.py", "integration"),
        ("tests/integration/conftest.py", "integration"),
        ("tests/e2e/test_a.py", "e2e"),
        ("tests/end_to_end/test_a.py", "e2e"),
        ("tests/tier_2/test_a.py", "integration"),
        ("tests/tier1_unit/test_a.py", "unit"),
        ("tests/tier2_integration/test_a.py", "integration"),
        ("tests/tier-3-e2e/test_a.py", "e2e"),
        ("tests/02_integration/test_a.py", "integration"),
        ("tests/shop/integration/test_a.py", "integration"),
        ("tests/unit/integration/test_a.py", "unit"),
        ("integration/tests/unit/test_a.py", "unit"),
        ("src/shop/integration/tests/test_a.py", ""),
        ("src/shop/integration/client.py", ""),
        ("src/shop/e2e/client.py", ""),
        ("integration_tests/test_a.py", "integration"),
        ("integration-tests/pages/home.py", "integration"),
        ("e2e/test_a.py", "e2e"),
        ("e2e/tests/test_a.py", "e2e"),
        ("tests/integrations/test_slack.py", ""),
        ("tests/test_a.py", ""),
        ("tests/conftest.py", ""),
        ("tests/test_integration.py", "integration"),
        ("tests/test_orders_integration.py", "integration"),
        ("tests/test_disintegration.py", ""),
        ("tests/regression/test_a.py", ""),
        ("Tests/Integration/test_a.py", "integration"),
    ],
)
def test_paths(path: str, tier: str) -> None:
    """The outermost directory below `tests` that names a tier decides."""
    assert by_path(path) == tier


@pytest.mark.parametrize(
    ("path", "expected"),
    [("tests/helpers.py", True), ("shop/testing/fakes.py", True), ("shop/latest/a.py", False), ("shop/a.py", False)],
)
def test_code_for_tests(path: str, expected: bool) -> None:
    """Fakes are looked for in code for tests alone."""
    assert is_test(path) is expected


MARKED = [
    ("import pytest\n@pytest.mark.integration\ndef test_a(): MagicMock()\n", 1),
    ("import pytest\n@pytest.mark.integration()\ndef test_a(): MagicMock()\n", 1),
    ("import pytest as p\n@p.mark.e2e\nasync def test_a(): MagicMock()\n", 1),
    ("from pytest import mark\n@mark.tier_2\ndef test_a(): MagicMock()\n", 1),
    ("import pytest\n@pytest.mark.tier(3)\ndef test_a(): MagicMock()\n", 1),
    ("import pytest\nslow = pytest.mark.integration\n@slow\ndef test_a(): MagicMock()\n", 1),
    ("from tests.marks import real\nmark = 1\n@real\ndef test_a(): MagicMock()\n", 1),
    ("import pytest\npytestmark = pytest.mark.integration\ndef test_a(): MagicMock()\n", 1),
    ("import pytest\npytestmark = [pytest.mark.slow, pytest.mark.e2e(reason='x')]\ndef test_a(): MagicMock()\n", 1),
    ("import pytest\nclass TestA:\n    pytestmark = [pytest.mark.integration]\n    def test_a(self): MagicMock()\n", 1),
    ("import pytest\n@pytest.mark.integration\nclass TestA:\n    def test_a(self): MagicMock()\n", 1),
    ("import pytest\n@pytest.mark.e2e\nclass B: pass\nclass TestA(B):\n    def test_a(self): MagicMock()\n", 1),
    (
        "import pytest\npytestmark = pytest.mark.e2e\n@pytest.mark.unit\ndef test_a(): MagicMock()\n"
        "def test_b(): MagicMock()\n",
        1,
    ),
    (
        "import pytest\n@pytest.mark.integration\nclass TestA:\n    @pytest.mark.unit\n"
        "    def test_a(self): MagicMock()\n",
        0,
    ),
    ("import pytest\n@pytest.mark.integration\ndef test_a(): pass\ndef test_b(): MagicMock()\n", 0),
    ("import pytest\n@pytest.mark.skipif(True, reason='integration')\ndef test_a(): MagicMock()\n", 0),
    ("mark = object()\n@mark.integration\ndef test_a(): MagicMock()\n", 0),
]


@pytest.mark.parametrize(("text", "count"), MARKED)
@pytest.mark.parametrize("path", ["tests/unit/test_a.py", "tests/test_a.py"])
def test_markers(path: str, text: str, count: int) -> None:
    """A marker beats the path, the nearest one beats the others."""
    marks = {"tests/marks.py": "import pytest\nreal = pytest.mark.integration\n"}
    assert len(found({path: MOCK + text, **marks}, "GS16")) == count


def test_unit_marker_in_integration() -> None:
    """A test that its marker calls a unit test may use mocks, wherever it is."""
    text = f"import pytest\n{MOCK}@pytest.mark.unit\ndef test_a(): MagicMock()\ndef test_b(): MagicMock()\n"
    assert found({AT: text}, "GS16") == [f"{AT}:5 GS16.mock"]


@pytest.mark.parametrize(
    "given", [".", "tests", "tests/integration", "tests/integration/api", "tests/integration/api/test_a.py"]
)
@pytest.mark.parametrize("marked", [True, False])
def test_a_part_of_the_tests_is_judged_alike(tmp_path: Path, given: str, marked: bool) -> None:
    """Whoever names the directory of integration tests gets the same findings as for the whole project."""
    root = tmp_path / "test" / "shop"  # directories above the project say nothing
    path = root / "tests" / "integration" / "api" / "test_a.py"
    path.parent.mkdir(parents=True)
    path.write_text(f"{MOCK}def test_a(): MagicMock()\n", encoding="utf-8")
    if marked:
        (root / "pyproject.toml").touch()
    result = analyse([root / given], rules=["GS16"], jobs=1)
    assert [item.path for its in result.judged for item in its.findings] == ["tests/integration/api/test_a.py"]


def test_projects(tmp_path: Path) -> None:
    """A directory that is no part of tests is the project itself."""
    (tmp_path / "shop").mkdir()
    assert project_of(tmp_path / "shop") == tmp_path / "shop"
    (tmp_path / "shop" / ".git").mkdir()
    assert project_of(tmp_path / "shop") == tmp_path / "shop"
