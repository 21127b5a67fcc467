"""What Ready keeps on a host: how it is described, when it is complete, and the package as a wheel."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path
from typing import Any

import pytest
from ready.cli import wheel
from ready.host import installed
from ready.stack.definitions import load_definitions, resolve_stack

VARIABLES = {
    "stack_name": "ready",
    "ready_services": ["postgresql", "redis"],
    "ready_bind_address": "127.0.0.1",
}


@pytest.fixture(autouse=True)
def stacks(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Have the host keep its descriptions below a test's own directory."""
    monkeypatch.setattr(installed, "STACKS", tmp_path / "stacks")
    return tmp_path / "stacks"


@pytest.fixture
def stack() -> dict[str, Any]:
    """Return a resolved stack as `stack_definition` leaves it."""
    return resolve_stack(load_definitions(), VARIABLES) | {"probes": {"directory": "/x", "mark": "lock 1\npackage 2\n"}}


def test_description_has_what_its_readers_need(stack: dict[str, Any]) -> None:
    """And is the same text each time, so that it is not written again."""
    document = installed.stack_document(stack)
    assert document == installed.stack_document(json.loads(json.dumps(stack)))
    found = json.loads(document)
    assert found["name"] == "ready"
    assert found["services"]["postgresql"]["ports"] == stack["services"]["postgresql"]["ports"]
    assert found["services"]["postgresql"]["database"] == stack["services"]["postgresql"]["database"]
    assert found["services"]["redis"]["volumes"] == stack["services"]["redis"]["volumes"], "for backups"
    stack["services"]["redis"]["config_hash"] = "1"
    assert document == installed.stack_document(stack), "a run alone knows it"


def test_complete_only_as_it_should_be(stack: dict[str, Any], tmp_path: Path) -> None:
    """Nothing there, another package, another description: each is to be mended."""
    environment = tmp_path / "probes"

    def complete() -> bool:
        return installed.installation_is_complete(stack, {"installed": installed.read_installed(environment, "ready")})

    assert not complete()
    environment.mkdir()
    (environment / installed.MARK).write_text("lock 1\npackage 2\n")
    assert not complete()
    path = installed.stack_path("ready")
    path.parent.mkdir()
    path.write_text(installed.stack_document(stack))
    assert complete()
    stack["services"]["redis"]["ports"][0]["host"] = 1
    assert not complete()
    path.write_text(installed.stack_document(stack))
    assert complete()
    (environment / installed.MARK).write_text("lock 1\npackage 3\n")
    assert not complete()


def test_mark_changes_with_lock_and_package() -> None:
    """Either of them makes another environment."""
    assert len({installed.environment_mark(lock, text) for lock in "ab" for text in "cd"}) == 4


def test_same_sources_same_wheel() -> None:
    """Nothing else is in it; its parts are those that an installer asks for."""
    assert wheel.wheel() == wheel.wheel()
    with zipfile.ZipFile(io.BytesIO(wheel.wheel())) as archive:
        names = archive.namelist()
    assert "ready/probe.py" in names
    assert "ready/services/redis/probe.py" in names
    assert {name.rpartition("/")[2] for name in names if ".dist-info/" in name} == {"METADATA", "WHEEL", "RECORD"}
    assert not [name for name in names if "__pycache__" in name]


def test_fingerprint_follows_the_sources(tmp_path: Path) -> None:
    """A changed line or a renamed file is seen."""
    (tmp_path / "a.py").write_text("x = 1\n")
    first = wheel.fingerprint(tmp_path)
    wheel.fingerprint.cache_clear()
    assert wheel.fingerprint(tmp_path) == first
    wheel.fingerprint.cache_clear()
    (tmp_path / "a.py").write_text("x = 2\n")
    second = wheel.fingerprint(tmp_path)
    wheel.fingerprint.cache_clear()
    (tmp_path / "a.py").rename(tmp_path / "b.py")
    assert len({first, second, wheel.fingerprint(tmp_path)}) == 3
    wheel.fingerprint.cache_clear()


def test_failed_installer_is_told(tmp_path: Path) -> None:
    """With its last words, and nothing is left that looks complete."""
    with pytest.raises(installed.InstallError, match="/nowhere/python"):
        installed.install_environment(tmp_path / "probes", "/nowhere/python", "", "ready.whl", b"", "p")
    assert not (tmp_path / "probes").exists()


def test_a_description_is_roots_alone(tmp_path: Path) -> None:
    """Written when it differs in content or mode, as a whole; check mode writes nothing, a second run neither."""
    path = installed.stack_path("ready")

    def describe(text: str, *, dry_run: bool = False) -> bool:
        return installed.write_description("ready", text, dry_run=dry_run)

    assert describe("{}", dry_run=True)
    assert not path.parent.exists()
    assert describe("{}")
    assert not describe("{}")
    assert (path.read_text(), path.stat().st_mode & 0o777, path.parent.stat().st_mode & 0o777) == ("{}", 0o600, 0o700)
    path.chmod(0o644)
    assert describe("{}")
    assert path.stat().st_mode & 0o777 == 0o600
    assert describe("[]")
    assert [each.name for each in path.parent.iterdir()] == ["ready.json"]


def test_an_environment_is_made_by_its_mark(tmp_path: Path) -> None:
    """One that is not there or half made has none."""
    assert not installed.environment_is_made(tmp_path, "lock 1\n")
    (tmp_path / installed.MARK).write_text("lock 1\n")
    assert installed.environment_is_made(tmp_path, "lock 1\n")
    assert not installed.environment_is_made(tmp_path, "lock 2\n")
