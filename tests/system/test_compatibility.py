"""What an earlier version left on a host and in an inventory is taken as it is: see tests/compatibility."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path

import docker
import pytest
from ready.images.recipe import image_reference, read_recipe, recipe_hash

from tests.compatibility.kept import EVIDENCE, INVENTORY, NAME, ask, forget, put_back, ready

ROOT = Path(__file__).resolve().parents[2]
ARCHIVE = ROOT / "tests" / "compatibility" / "before-owners.tar.gz"


@pytest.fixture(scope="module")
def kept() -> Iterator[str]:
    """Put the stack back, and add to its inventory what the refusal says; return its container's id."""
    recipe = recipe_hash(read_recipe(ROOT / "images", "redis", "7"), "redis")
    try:
        container = put_back(ARCHIVE, image_reference("redis", "7", recipe))
        group = re.search(r"^ready:\n  hosts:\n    localhost:\n", ready("status", code=64).stderr, re.MULTILINE)
        assert group, "the lines to add are not what it says"
        hosts = INVENTORY / "hosts.yml"
        hosts.write_text(hosts.read_text() + group[0])
        yield container
    finally:
        forget()


def test_read_before_anything_is_changed(kept: str) -> None:
    """The verbs that only read take the evidence, the repository and the stack."""
    drift = re.search(r"^redis .* (/run/ready, .*)$", ready("status").stdout, re.MULTILINE)
    assert drift, "its accounts have rights that this version takes away"
    assert "1 pass" in ready("report").stdout
    assert re.search(r"\d{8}T\d{6}Z", ready("backup", "list").stdout)
    assert docker.from_env().containers.get(f"{NAME}-redis").id == kept


def test_up_takes_the_stack(kept: str) -> None:
    """The timer stays, the data are the same; rights that accounts have no more are gone, by one new container."""
    assert "NOPERM" not in ask("slowlog", "get", "1", account="monitor", login="ready_monitor")
    ready("up")
    made = docker.from_env().containers.get(f"{NAME}-redis").id
    assert made != kept
    assert "NOPERM" in ask("slowlog", "get", "1", account="monitor", login="ready_monitor")
    assert ask("get", "kept") == "42"
    assert (Path("/etc/cron.d") / f"ready-backup-{NAME}").exists()
    assert "changed=0" in ready("up").stdout
    description = Path("/opt/ready/stacks") / f"{NAME}.json"
    assert json.loads(description.read_text())["owner"]["inventory"] == str(INVENTORY / "hosts.yml")
    assert not (Path("/etc/ready/backup") / NAME / "settings.json").read_text().count('"services"'), "a copy is left"
    assert docker.from_env().containers.get(f"{NAME}-redis").id == made


def test_its_set_is_proven_and_comes_back(kept: str) -> None:
    """A drill and a restore of the set that the earlier version made."""
    assert kept
    ready("drill")
    ready("restore", "--yes")
    assert ask("get", "kept") == "42"
    assert (EVIDENCE / NAME / "localhost" / "drill.json").exists()
    assert INVENTORY.exists()
