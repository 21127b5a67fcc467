"""What the inventory says of an application is judged before anything is made."""

from __future__ import annotations

import io
import os
import tarfile
from pathlib import Path
from typing import Any

import pytest
from ready.images.recipe import recipe_hash
from ready.stack.argument_specs import role_specs
from ready.testapp.application import KEYS, ApplicationError, resolve
from ready.testapp.recipe import NAME, recipe, runner
from ready.testapp.required_packages import Wanted
from ready.testapp.source import SourceError, read

from tests.names import ROOT


@pytest.fixture
def shop(tmp_path: Path) -> Path:
    """An application with a file of tests."""
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "test_it.py").write_text("def test_it():\n    pass\n")
    return tmp_path


def found(shop: Path, **given: Any) -> Any:
    """Resolve an application."""
    return resolve({"path": str(shop), **given}, "bookworm")


def test_defaults(shop: Path) -> None:
    """Pytest by itself, or in the directory that is named."""
    assert found(shop).command == ("python", "-m", "pytest")
    assert found(shop, tests="tests").command == ("python", "-m", "pytest", "tests")
    assert found(shop, tests=str(shop / "tests")).tests == "tests"
    assert found(shop, command=["pytest", "-x"], tests="tests").command == ("pytest", "-x")
    assert found(shop).python == "3.11"


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({"path": ""}, "found none in the inventory"),
        ({"path": "shop"}, "expected an absolute path"),
        ({"path": "/nowhere/at/all"}, "found nothing there"),
        ({"tests": "test"}, "found nothing at"),
        ({"tests": "../elsewhere"}, "expected a path below"),
        ({"models": "/etc"}, "expected a path below"),
        ({"python": "3"}, 'expected a release such as "3.11"'),
        ({"python": "3.12"}, "found 3.12, expected 3.11"),
        ({"command": []}, "found no command"),
        ({"command": [""]}, "found no command"),
        ({"command": "pytest tests"}, "found 'pytest tests', expected a list"),
        ({"requirements": "requirements.txt"}, "expected a list"),
        ({"test": "tests"}, "did you mean tests"),
        ({"requirements": ["missing.txt"]}, "No such file"),
        ({"requirements": ["../other.txt"]}, "expected one below"),
        ({"requirements": ["-e ."]}, "found the option -e"),
        ({"requirements": ["--index-url https://me:secret@index/"]}, "found the option --index-url"),
        ({"requirements": ["shop @ https://me:secret@host/shop.whl"]}, "found shop from an address"),
        ({"requirements": ["./wheels/shop.whl"]}, "expected a package"),
        ({"requirements": ["git+https://me:secret@host/shop"]}, "expected a package"),
    ],
)
def test_refused(shop: Path, given: dict[str, Any], expected: str) -> None:
    """A message says what was found and expected, and holds nobody's password."""
    with pytest.raises(ApplicationError) as raised:
        resolve({"path": str(shop), **given}, "bookworm")
    assert expected in str(raised.value)
    assert "Next: " in str(raised.value)
    assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("file", "text"),
    [
        ("pyproject.toml", '[project]\nname = "shop"\nrequires-python = "{}"\n'),
        ("setup.cfg", "[options]\npython_requires = {}\n"),
        ("PKG-INFO", "Metadata-Version: 2.1\nName: shop\nRequires-Python: {}\n"),
    ],
)
def test_requires_python(shop: Path, file: str, text: str) -> None:
    """What the project itself says counts, wherever it says so."""
    for good in (">=3.9", ">=3.11", ">=3.11.4", "<3.12", "==3.11.*", "~=3.10"):
        (shop / file).write_text(text.format(good))
        assert found(shop).python == "3.11"
    for bad in (">=3.12", "<3.11", "==3.10.*"):
        (shop / file).write_text(text.format(bad))
        with pytest.raises(ApplicationError, match=r"expected one that Python 3\.11 fits"):
            found(shop)
    (shop / file).write_text(text.format(">=three"))
    with pytest.raises(ApplicationError, match="expected a specifier"):
        found(shop)


def test_requirements_are_followed(shop: Path) -> None:
    """Files include each other, also in a circle; hashes and constraints stay."""
    (shop / "requirements").mkdir()
    (shop / "requirements.txt").write_text(
        "-r requirements/base.txt\n# a comment\nredis>=5,<9  # why\n"
        "httpx==0.28.1 \\\n  --hash=sha256:ab \\\n  --hash=sha256:cd\n"
    )
    (shop / "requirements" / "base.txt").write_text("-r ../requirements.txt\n-c limits.txt\nsaq[redis]\n")
    (shop / "requirements" / "limits.txt").write_text("attrs<99\n")
    wanted = found(shop, requirements=["requirements.txt", "rich"]).wanted
    assert set(wanted.packages) == {
        "saq[redis]",
        "redis>=5,<9",
        "httpx==0.28.1    --hash=sha256:ab    --hash=sha256:cd",
        "rich",
    }
    assert wanted.constraints == ("attrs<99",)


def test_recipe_follows_what_it_is_made_of() -> None:
    """The same text on the same image is the same layer; another text, constraint or image is another one."""
    images = ROOT / "images"
    one = recipe(images, "sha256:a", Wanted(("redis",)))
    assert recipe_hash(one, NAME) == recipe_hash(recipe(images, "sha256:a", Wanted(("redis",))), NAME)
    others = [
        recipe(images, "sha256:b", Wanted(("redis",))),
        recipe(images, "sha256:a", Wanted(("redis>5",))),
        recipe(images, "sha256:a", Wanted(("redis",), ("attrs<9",))),
    ]
    assert len({recipe_hash(files, NAME) for files in [one, *others]}) == 4
    text = one[f"{NAME}/Containerfile"].decode()
    assert text.count("FROM sha256:a") == 2
    assert "FROM KAILASH" not in text
    assert "__main__.py" in runner(images)


def test_source(shop: Path) -> None:
    """Histories, environments, caches and settings of elsewhere stay; links are kept, but for those out of it."""
    for name in (".git/config", "node_modules/x.js", "env/pyvenv.cfg", "pkg/__pycache__/a.pyc", "pkg/.env", "pkg/a.py"):
        (shop / name).parent.mkdir(parents=True, exist_ok=True)
        (shop / name).write_text("x")
    (shop / "out").symlink_to("/etc/passwd")
    (shop / "in").symlink_to("pkg")
    (shop / "tests" / "beside").symlink_to("../pkg")
    (shop / "tests" / "above").symlink_to("../../secret")  # Docker refuses a tar with it
    os.mkfifo(shop / "pipe")
    source = read(shop)
    assert set(source.files) == {"tests/test_it.py", "pkg/a.py"}
    assert source.left_out == [".git", "env", "node_modules", "pipe", "pkg/.env", "pkg/__pycache__", "tests/above"]
    with tarfile.open(fileobj=io.BytesIO(source.tar("app", 7))) as archive:
        members = {member.name: member for member in archive}
    files = {"app/tests/test_it.py", "app/pkg/a.py"}
    assert set(members) == {"app", "app/pkg", "app/tests", "app/out", "app/in", "app/tests/beside"} | files
    assert members["app/out"].linkname == "/etc/passwd"
    assert members["app/in"].issym()
    assert {member.uid for member in members.values()} == {7}


def test_a_change_shows(shop: Path) -> None:
    """Content, mode, a new file and a link's target change the fingerprint; a cache does not."""
    seen = [read(shop).fingerprint()]
    (shop / "__pycache__").mkdir()
    assert read(shop).fingerprint() == seen[0]
    (shop / "tests" / "test_it.py").write_text("def test_it():\n    pass  #\n")
    seen.append(read(shop).fingerprint())
    (shop / "tests" / "test_it.py").chmod(0o700)
    seen.append(read(shop).fingerprint())
    (shop / "new").symlink_to("a")
    seen.append(read(shop).fingerprint())
    (shop / "new").unlink()
    (shop / "new").symlink_to("b")
    assert len({*seen, read(shop).fingerprint()}) == 5


def test_too_much(shop: Path) -> None:
    """A directory that is no source is refused, and the message says what is so large in it."""
    (shop / "data").mkdir()
    (shop / "data" / "dump").write_bytes(b"x" * 3000)
    with pytest.raises(SourceError, match=r"data 0 MiB.*expected an application's source.*Next: "):
        read(shop, largest=2000)
    assert len(read(shop, most=2).files) == 2
    with pytest.raises(SourceError, match="more than 1 files"):
        read(shop, most=1)


def test_specs_agree() -> None:
    """The role that reports and the one that tests take the same keys, and the code knows them."""
    specs = role_specs()
    keys = [set(specs[role]["main"]["options"]["application"]["options"]) for role in ("readiness", "test_app")]
    assert keys == [set(KEYS), set(KEYS)]
