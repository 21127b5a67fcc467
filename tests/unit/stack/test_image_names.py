# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which images a stack needs, what a site's registry has them as, and what is pushed to it."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from ready.docker.images_in_use import images_in_use
from ready.docker.plan import needs_image
from ready.docker.state import absent_state
from ready.images import choice_results
from ready.images.push import push_refusals
from ready.images.push_plan import push_fault, push_lines, to_push
from ready.images.sources import choose_all
from ready.stack.image_names import published_name, stack_images
from ready.stack.resolved import containers

from filter_plugins import ready_images as filters
from tests.unit.conftest import resolved_stack
from tests.unit.docker.test_plan import running

MIRROR = "mirror.test:5000"
LABELS = {"io.ready.image": "redis", "io.ready.recipe": "f" * 64, "io.ready.engine_version": "7.0.15"}


def with_own(**more: Any) -> dict[str, Any]:
    """Return a stack of redis alone, whose image has no upstream."""
    stack = copy.deepcopy(resolved_stack(ready_services=["redis"]))
    image = stack["services"]["redis"]["image"]
    for key in ("repository", "tag"):
        del image[key]
    image["data_format"] = {"build": "rdb-10"}
    stack["services"]["redis"] |= more
    return stack


def state_of(stack: dict[str, Any], labels: dict[str, str]) -> dict[str, Any]:
    """Return the state of a stack that runs from images with these labels."""
    state = running(stack)
    for have in state["services"].values():
        if have.get("image"):
            have["image"]["labels"] = labels
    return state


def test_a_sidecar_has_the_image_that_it_names() -> None:
    """Its service's, or another one, which is found, saved and pushed though no service has it."""
    stack = resolved_stack(ready_services=["postgresql"], backup_pitr=True)
    assert {name: its["users"] for name, its in stack_images(stack).items()} == {"postgresql": ["postgresql"]}
    image = {"version": "2.6", "data_format": {"build": "none"}, "override": None, "user": "10001:10001"}
    gateway = {"image": image, "volumes": []}
    stack["sidecars"]["front"] = stack["sidecars"]["wal"] | gateway | {"image_of": "gateway"}
    images = stack_images(stack)
    assert images["gateway"]["users"] == ["front"]
    assert images["gateway"]["image"] == gateway["image"]
    state = state_of(stack, {})
    state["services"]["front"] = {"exists": False}
    assert needs_image(stack, state) == ["gateway"]
    assert list(images_in_use(stack, state, {})) == ["postgresql"]
    have = {"id": "sha256:g", "ref": "ready/gateway:2.6", "present": True, "labels": {"io.ready.source": "build"}}
    state["services"]["front"] = {"exists": True, "ours": True, "config": {"labels": {}, "image": "x"}, "image": have}
    assert needs_image(stack, state) == []
    assert images_in_use(stack, state, {})["gateway"]["id"] == "sha256:g"
    assert images_in_use(stack, state, {})["gateway"]["source"] == "build"


@pytest.mark.parametrize(("labels", "made"), [(LABELS | {"io.ready.source": "build"}, "build"), ({}, "registry")])
def test_an_image_that_keeps_no_data_is_saved_as_one_that_is_read_back(labels: dict[str, str], made: str) -> None:
    """Its format is the definition's, which an archive is compared with; no volume records it."""
    stack = resolved_stack(ready_services=["chromadb", "gateway"])
    image = stack["services"]["gateway"]["image"]
    image["data_format"] = {"build": "build", "registry": "registry"}
    stack["services"]["gateway"]["volumes"] = [{"name": "x", "path": "/x", "holds": "copies"}]  # which are no data
    saved = images_in_use(stack, state_of(stack, labels), {})["gateway"]
    archive = saved | {"file": "gateway.tar"}
    got = choose_all(
        None, {"gateway": image}, {"gateway": "archive"}, "", {}, {"gateway": archive}, "none", None, {}, {}
    )
    assert (got["gateway"]["source"], got["gateway"]["data_format"]) == ("archive", made)


def test_what_the_stack_does_without() -> None:
    """Each kind of backend that is no container; nothing where there is none."""
    backends = {"local": {"kind": "container"}, "elsewhere": {"kind": "external"}, "none": {"kind": "none"}}
    assert stack_images(with_own(backends=backends))["redis"]["without"] == "redis_backend: elsewhere or none"
    assert stack_images(with_own())["redis"]["without"] == ""
    alone = stack_images(resolved_stack(ready_services=["ai"]))
    assert {name: its["without"] for name, its in alone.items()} == dict.fromkeys(
        ("ai", "gateway"), "ai_backend: external or none"
    )
    both = stack_images(resolved_stack(ready_services=["ai", "chromadb", "gateway"]))
    assert both["gateway"]["without"] == ""  # another service runs it too


def test_published() -> None:
    """Three parts, which no mirror of Docker's public registry can bring from there."""
    assert published_name("ready/redis:7-abc") == ("ready/built/redis", "7-abc")


def test_to_push() -> None:
    """What was built goes by its recipe, from wherever it came here; upstream's keeps its name."""
    stack = resolved_stack(ready_services=["redis"])
    built = to_push(stack, state_of(stack, LABELS), MIRROR)
    assert built == {
        "redis": {"id": "sha256:redis", "repository": f"{MIRROR}/ready/built/redis", "tag": f"7-{'f' * 12}"}
    }
    upstream = to_push(stack, state_of(stack, {}), MIRROR)["redis"]
    assert (upstream["repository"], upstream["tag"]) == (f"{MIRROR}/library/redis", "7-alpine")
    other_line = to_push(stack, state_of(stack, LABELS | {"io.ready.engine_version": "8.0.2"}), MIRROR)
    assert other_line["redis"]["tag"] == f"8.0.2-{'f' * 12}"
    stack["services"]["redis"]["image"]["override"] = "example.test/redis:mine"
    assert to_push(stack, state_of(stack, {}), MIRROR) == {}


def test_push_fault() -> None:
    """Without a registry, or an image, nothing is pushed."""
    stack = resolved_stack(ready_services=["redis"])
    state = state_of(stack, LABELS)
    assert push_fault(stack, state, MIRROR) == ""
    assert push_fault(stack, state, "").startswith("container_images_registry_mirror: found none")
    state["services"]["redis"]["image"]["present"] = False
    assert push_fault(stack, state, MIRROR) == "no image is in use of redis. Next: ./ready up, then push"
    state["services"]["redis"] = {"exists": False}
    assert "no image is in use of redis" in push_fault(stack, state, MIRROR)


def test_what_is_pushed_of_an_image_of_two_containers() -> None:
    """That of one that is there, whichever it is."""
    stack = resolved_stack(ready_services=["ai", "chromadb", "gateway"])
    state = absent_state(containers(stack).values(), "")
    for name in ("ai", "chromadb", "ai_gateway"):
        state["services"][name]["image"] = {"id": f"sha256:{name}", "present": True, "labels": {}}
    assert push_fault(stack, state, MIRROR) == ""
    assert to_push(stack, state, MIRROR)["gateway"]["id"] == "sha256:ai_gateway"


def test_push_lines() -> None:
    """What was done; what the lock says otherwise; an image of another recipe than this version's."""
    stack = resolved_stack(ready_services=["redis"])
    state, done = state_of(stack, LABELS), {"redis": {"action": "pushed", "digest": "sha256:new"}}
    recipes = {"redis": {"ref": f"ready/redis:7-{'f' * 12}"}}
    name = f"redis: {MIRROR}/ready/built/redis:7-{'f' * 12}"
    assert push_lines(done, stack, state, MIRROR, {}, recipes) == [f"{name}: pushed sha256:new"]
    lock = {"redis": {"digest": "sha256:old"}}
    said = push_lines(done, stack, state, MIRROR, lock, recipes)[1]
    assert said == "redis: the image lock says sha256:old. Next: ./ready images lock, and review it"
    assert len(push_lines(done, stack, state, MIRROR, {"redis": {"digest": "sha256:new"}}, recipes)) == 1
    checked = {"redis": {"action": "pushed", "digest": ""}}
    assert push_lines(checked, stack, state, MIRROR, lock, recipes) == [f"{name}: pushed"]
    [_, older] = push_lines(done, stack, state, MIRROR, {}, {"redis": {"ref": "ready/redis:7-abc"}})
    assert "asks for 7-abc, the container runs an older one. Next: ./ready up --rebuild" in older
    assert push_lines({}, stack, state, MIRROR, {}, recipes)[0].startswith("redis: not pushed")


def test_refusals() -> None:
    """A name that is another image's there; not one that is free or the same image's."""
    images = {name: {"id": "sha256:mine", "repository": "m/r", "tag": "1"} for name in ("free", "same", "other")}
    found = {"free": {"found": ""}, "same": {"found": "sha256:mine"}, "other": {"found": "sha256:theirs"}}
    [message] = push_refusals(images, found)
    assert message.startswith("other: m/r:1: found sha256:theirs there, expected sha256:mine")
    assert "Nothing was pushed. Next: --force" in message


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, ["redis"]),
        ({"repository": "docker.io/library/redis", "tag": "7"}, []),
        ({"override": "example.test/redis:mine"}, []),
    ],
)
def test_what_preflight_asks_for(change: dict[str, str], expected: list[str]) -> None:
    """Images without an upstream that must be found, and that nobody has found yet."""
    stack = with_own()
    stack["services"]["redis"]["image"] |= change
    state = state_of(stack, {})
    assert filters.unheld(stack, state, {}) == []
    state["services"]["redis"] = {"exists": False}
    assert filters.unheld(stack, state, {}) == expected
    assert filters.unheld(stack, state, {"redis": {}}) == []
    choice = {"faults": ["a. Next: b"], "unasked": False}
    assert choice_results.foreseen({"redis": choice}) == {"redis": "a. Next: b"}
    assert choice_results.foreseen({"redis": choice | {"unasked": True}}) == {"redis": ""}
