"""The lock: hashes for everything, no index, and the collections that requirements.yml names."""

from __future__ import annotations

import json
import re
from pathlib import Path

import ansible_collections
import yaml

ROOT = Path(__file__).resolve().parents[2]
LOCK = (ROOT / "requirements.txt").read_text()


def test_every_package_is_pinned_and_hashed() -> None:
    """No line without a version, no version without a hash."""
    pins = re.split(r"\n(?=[a-zA-Z])", LOCK.strip())
    assert len(pins) > 50
    assert [pin.split()[0] for pin in pins if "==" not in pin.split()[0] or "--hash=sha256:" not in pin] == []


def test_it_names_no_index() -> None:
    """Whoever installs it uses the index of their own."""
    assert not re.search(r"https?://|--(extra-)?index-url|--find-links", LOCK)


def test_collections_are_those_of_the_ansible_package() -> None:
    """Galaxy users get the versions that the launcher's environment has."""
    root = Path(next(iter(ansible_collections.__path__)))
    for collection in yaml.safe_load((ROOT / "requirements.yml").read_text())["collections"]:
        manifest = json.loads((root / collection["name"].replace(".", "/") / "MANIFEST.json").read_text())
        assert manifest["collection_info"]["version"] == collection["version"]
