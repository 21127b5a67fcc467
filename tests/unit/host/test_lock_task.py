"""The locks: hashes for everything, no index, and the collections that requirements.yml names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import ansible_collections
import pytest
import yaml

ROOT = Path(__file__).resolve().parents[3]
CLIENTS = "tests/clients/image"
LOCKS = ("requirements.txt", "requirements-probes.txt", f"{CLIENTS}/requirements.txt")


@pytest.mark.parametrize("lock", LOCKS)
def test_every_package_is_pinned_and_hashed(lock: str) -> None:
    """No line without a version, no version without a hash."""
    pins = re.split(r"\n(?=[a-zA-Z])", (ROOT / lock).read_text().strip())
    assert len(pins) > 15
    assert [pin.split()[0] for pin in pins if "==" not in pin.split()[0] or "--hash=sha256:" not in pin] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_it_names_no_index(lock: str) -> None:
    """Whoever installs it uses the index of their own."""
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", (ROOT / lock).read_text())


def test_every_package_of_npm_is_hashed() -> None:
    """What is asked for is what is locked, and it names no registry."""
    lock = json.loads((ROOT / CLIENTS / "package-lock.json").read_text())
    packages = lock["packages"]
    asked = json.loads((ROOT / CLIENTS / "package.json").read_text())
    assert packages.pop("")["dependencies"] == asked["dependencies"]
    assert [name for name, its in packages.items() if not its.get("integrity", "").startswith("sha512-")] == []
    assert [name for name, its in packages.items() if "resolved" in its] == []


def test_collections_are_those_of_the_ansible_package() -> None:
    """Galaxy users get the versions that the launcher's environment has."""
    root = Path(next(iter(ansible_collections.__path__)))
    for collection in yaml.safe_load((ROOT / "requirements.yml").read_text())["collections"]:
        manifest = json.loads((root / collection["name"].replace(".", "/") / "MANIFEST.json").read_text())
        assert manifest["collection_info"]["version"] == collection["version"]
