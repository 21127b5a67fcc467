"""The actions of role container_images: what they ask the modules, and what the tasks get."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleActionFail
from ansible.plugins.filter.core import to_nice_json
from ready.images.job_images import TOOLS
from ready.images.manifest import read_archives
from ready.stack.image_names import stack_images

from tests.unit.actions import Asked, run
from tests.unit.conftest import resolved_stack

DIGEST = "sha256:" + "a" * 64


def choice(source: str, **other: Any) -> dict[str, Any]:
    """Return a choice as image_sources gives it."""
    return {"source": source, "ref": "r:1", "data_format": "7", "lock": None, "reasons": [], "faults": [],
            "unserved": False, "unasked": False, "without": "", **other}  # fmt: skip


def test_a_choice_is_asked_for_with_what_the_controller_knows(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The recipe of this checkout, and why there is no archive; the answer is sorted by source."""
    looked = [{"item": "base", "image": {"ref": "b", "id": "1"}}, {"item": "redis", "image": {"ref": "r"}}]
    modules = Asked(image_sources={"choices": {"redis": choice("build")}, "looked": looked, "faults": []})
    stack = {**resolved_stack(), "image_source": "auto"}
    found = run("image_choice", modules, monkeypatch, stack=stack, names=["redis"], bound={},
                state={}, lock={}, archive_dir=str(tmp_path))  # fmt: skip
    asked = modules.args["image_sources"]
    assert list(asked["images"]) == ["redis"]
    assert asked["archive_reason"] == f"{tmp_path}/manifest.json is missing"
    assert asked["recipes"]["redis"]["ref"] == found["recipes"]["redis"]["ref"]
    assert (found["by_source"], found["missing"]) == ({"build": ["redis"]}, ["redis"])
    assert found["lines"] == ["pc1: image of redis from: build"]
    assert found["versions"]["redis"]["version"]


def test_a_lock_that_the_registry_does_not_give_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    """With the host's name; without faults there are new entries and a line for each image."""
    stack = resolved_stack()
    choices = {"redis": choice("registry", lock={"digest": DIGEST}), "neo4j": choice("registry", faults=["no route"])}
    with pytest.raises(AnsibleActionFail, match="pc1: no route"):
        run("image_lock", Asked(image_sources={"choices": choices}), monkeypatch, stack=stack, lock={})
    del choices["neo4j"]
    found = run("image_lock", Asked(image_sources={"choices": choices}), monkeypatch, stack=stack, lock={})
    assert (found["new_locks"], found["gone"]) == ({"redis": {"digest": DIGEST}}, [])
    assert found["lines"] == [f"redis: none -> {DIGEST}"]


@pytest.mark.parametrize("check_mode", [False, True])
def test_images_are_asked_for_what_is_not_known(check_mode: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """But for check mode."""
    modules = Asked(image_facts={"images": {"redis": {"id": DIGEST, "engine_version": "7.2"}}})
    choices = {"redis": choice("registry")}
    run("image_result", modules, monkeypatch, check_mode, stack=resolved_stack(), choices=choices, built=[])
    image = modules.args["registered"]["ready_images"]["redis"]
    assert image["ref"] == "r:1"
    assert image.get("id") == (None if check_mode else DIGEST)
    assert ("image_facts" in modules.args) is not check_mode


def test_what_is_saved_and_pushed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing where a service has no image; nothing without a registry."""
    stack = resolved_stack()
    image = {"ref": "r:1", "id": DIGEST, "present": True, "labels": {}, "digests": []}
    state: dict[str, Any] = {"services": {}, "volumes": {}}
    looked = Asked(docker_image_info={"images": []}, image_push={"changed": False, "pushed": {}})
    with pytest.raises(AnsibleActionFail, match=r"pc1: no image is in use of .*Next: \./ready up, then save\."):
        run("images_to_save", looked, monkeypatch, stack=stack, state=state)
    users = [user for its in stack_images(stack).values() for user in its["users"]]
    state["services"] = {user: {"image": image, "ours": True, "config": {}} for user in users}
    monkeypatch.setattr("ready.docker.images_in_use.kept_image", lambda *_: False)
    assert set(run("images_to_save", looked, monkeypatch, stack=stack, state=state)["images"]) == set(
        stack_images(stack)
    )
    assert looked.args["community.docker.docker_image_info"]["name"][0].startswith(f"ready/{next(iter(TOOLS))}:")
    with pytest.raises(AnsibleActionFail, match="pc1: container_images_registry_mirror: found none"):
        run("images_push", looked, monkeypatch, stack=stack, state=state, mirror="")
    found = run("images_push", looked, monkeypatch, stack=stack, state=state, lock={}, mirror="mirror.test")
    assert json.dumps(looked.args["image_push"]["images"]).count(DIGEST) == len(looked.args["image_push"]["images"])
    assert all(line.startswith("pc1: ") for line in found["lines"])


def locked(text: str) -> Any:
    """Return what a lock holds."""
    return yaml.safe_load(text)["ready_images_lock"]


def test_hosts_add_to_one_lock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What another has written stays, with its date; in check mode nothing is written, and the diff is shown."""
    path = tmp_path / "group_vars" / "all" / "ready_images_lock.yml"
    redis, neo4j = ({"redis": {"digest": DIGEST}}, {"neo4j": {"digest": DIGEST}})
    found = run("image_lock_file", Asked(), monkeypatch, check_mode=True, path=str(path), entries=redis)
    assert (found["changed"], found["diff"]["before"], path.exists()) == (True, "", False)
    monkeypatch.setattr("ready.common.clock.timestamp", lambda: "first")
    run("image_lock_file", Asked(), monkeypatch, path=str(path), entries=redis)
    assert path.stat().st_mode & 0o777 == 0o644
    monkeypatch.setattr("ready.common.clock.timestamp", lambda: "second")
    found = run("image_lock_file", Asked(), monkeypatch, path=str(path), entries=neo4j)
    assert found["diff"]["after"] == path.read_text()
    assert {name: its["locked_at"] for name, its in locked(path.read_text()).items()} == {
        "redis": "first",
        "neo4j": "second",
    }
    assert run("image_lock_file", Asked(), monkeypatch, path=str(path), entries=redis)["changed"] is False


def test_only_a_renewal_changes_a_lock(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Another digest of the same image is refused, with the host that was served it; what is gone goes."""
    path, other = tmp_path / "lock.yml", {"redis": {"digest": "sha256:" + "b" * 64}}
    entries = {name: {"digest": DIGEST} for name in ("redis", "neo4j")}
    run("image_lock_file", Asked(), monkeypatch, path=str(path), entries=entries)
    with pytest.raises(AnsibleActionFail, match=r"^pc1: redis: the image lock says .*Next: \./ready images lock"):
        run("image_lock_file", Asked(), monkeypatch, path=str(path), entries=other)
    run("image_lock_file", Asked(), monkeypatch, path=str(path), entries=other, renew=True, gone=["neo4j"])
    assert {name: its["digest"] for name, its in locked(path.read_text()).items()} == {
        "redis": other["redis"]["digest"]
    }
    with pytest.raises(AnsibleActionFail, match=r"^pc1: .*lock\.yml: found file exists; .*Next: .*, then run again$"):
        run("image_lock_file", Asked(), monkeypatch, path=str(path / "lock.yml"), entries=entries)


def test_a_lock_stays_its_owners(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Where root runs Ready in a user's inventory; nobody else can give a file to somebody."""
    path, owners = tmp_path / "lock.yml", []
    path.write_text("---\n")
    monkeypatch.setattr("ready.common.files.write_bytes", lambda *args: owners.append(args[3]))
    for user in (0, 1000):
        monkeypatch.setattr(os, "geteuid", lambda user=user: user)
        run("image_lock_file", Asked(), monkeypatch, path=str(path), entries={"redis": {"digest": DIGEST}})
    assert owners == [(path.stat().st_uid, path.stat().st_gid), None]


def test_a_manifest_has_the_checksums_of_the_archives(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """What `images save` writes, `images load` takes; in check mode there may be no archive, and nothing is written."""
    image = {"ref": "r:1", "id": DIGEST, "source": "registry", "data_format": "7-musl", "engine_version": "7.2.4"}
    given: dict[str, Any] = {"directory": str(tmp_path), "images": {"redis": image}}
    found = run("image_manifest", Asked(), monkeypatch, check_mode=True, **given)
    assert json.loads(found["diff"]["after"])["images"]["redis"]["sha256"] is None
    (tmp_path / "redis.tar").write_bytes(b"an archive")
    assert run("image_manifest", Asked(), monkeypatch, check_mode=True, **given)["changed"] is True
    assert not (tmp_path / "manifest.json").exists()
    assert run("image_manifest", Asked(), monkeypatch, **given)["changed"] is True
    text = (tmp_path / "manifest.json").read_text()
    assert text == to_nice_json(json.loads(text)) + "\n"
    read = read_archives(str(tmp_path), text)["images"]["redis"]
    assert (read["file"], read["sha256"]) == ("redis.tar", hashlib.sha256(b"an archive").hexdigest())
    assert run("image_manifest", Asked(), monkeypatch, **given)["changed"] is False
    with pytest.raises(
        AnsibleActionFail, match=r"^pc1: .*found file exists; .*Next: see to its rights, then run again$"
    ):
        run("image_manifest", Asked(), monkeypatch, directory=str(tmp_path / "redis.tar"), images={})
