# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Images that a site's mirror has beside upstream's, and images that have no upstream."""

from __future__ import annotations

import yaml
from ready.images import choice_results
from ready.images.registries import NotServedError
from ready.images.sources import choose_all

from tests.unit.images.test_sources import ARCHIVE, IMAGE, LOCK, A, B, pick

OWN = {"repository": None, "tag": None, "data_format": {"build": "7-glibc"}}
BUILT = {"own": "ready/redis:7-abc", "mirror": "mirror.test"}
AT_MIRROR = "mirror.test/ready/built/redis"


def test_a_mirror_is_asked_for_the_built_image_too() -> None:
    """After upstream's, unless the data are of the built one's format; without a mirror nobody is."""
    absent = NotServedError("manifest unknown")
    got = pick("registry", served=absent, **BUILT)
    assert got["asked"] == ["mirror.test/library/redis:7-alpine", f"{AT_MIRROR}:7-abc"]
    assert got["unserved"]
    assert f"registry: {AT_MIRROR}:7-abc: manifest unknown" in got["reasons"]
    assert pick(**BUILT)["ref"] == f"mirror.test/library/redis@{B}"
    got = pick(held="7-glibc", **BUILT)
    assert got["asked"] == [f"{AT_MIRROR}:7-abc"]
    assert (got["ref"], got["data_format"], got["faults"]) == (f"{AT_MIRROR}@{B}", "7-glibc", [])
    assert got["lock"] == {"repository": "ready/built/redis", "tag": "7-abc", "digest": B}
    assert pick(served=absent, own="ready/redis:7-abc")["asked"] == ["docker.io/library/redis:7-alpine"]


def test_an_image_without_upstream_is_never_asked_of_a_public_registry() -> None:
    """A mirror, an archive or a build serves it."""
    got = pick("registry", image=OWN, own="ready/redis:7-abc", without="redis_backend: none")
    assert (got["asked"], got["source"], got["unserved"]) == ([], None, True)
    assert got["faults"][0].endswith("or allow another with image_source, or set redis_backend: none")
    assert "no public registry holds it, and container_images_registry_mirror is not set" in got["faults"][0]
    got = pick(image=OWN, own="ready/redis:7-abc")
    assert (got["source"], got["data_format"], got["asked"]) == ("build", "7-glibc", [])
    archive = ARCHIVE | {"data_format": "7-glibc"}
    assert pick(image=OWN, own="ready/redis:7-abc", archive=archive)["source"] == "archive"
    got = pick(image=OWN, **BUILT)
    assert (got["asked"], got["ref"], got["data_format"]) == ([f"{AT_MIRROR}:7-abc"], f"{AT_MIRROR}@{B}", "7-glibc")
    assert not pick("registry", image=OWN, served=LookupError("no route"), **BUILT)["unserved"]
    assert "there is no recipe images/redis" in pick(image=OWN, mirror="mirror.test")["reasons"][0]


def test_lock_of_a_built_image() -> None:
    """It is asked for by its digest alone; one of another recipe stops, and so does another digest."""
    lock = {"repository": "ready/built/redis", "tag": "7-abc", "digest": A}
    got = pick(served=A, lock=lock, **BUILT)
    assert (got["asked"], got["ref"], got["lock"]) == ([f"{AT_MIRROR}@{A}"], f"{AT_MIRROR}@{A}", None)
    [fault] = pick(image=OWN, lock=lock | {"tag": "7-old"}, **BUILT)["faults"]
    assert "the image lock is for tag 7-old, the inventory asks for 7-abc. Next: ./ready images lock" in fault
    assert f"the lock says {A}" in pick(served=B, lock=lock, **BUILT)["faults"][0]
    assert pick(image=OWN, lock=lock, own="ready/redis:7-abc")["source"] == "build"
    [fault] = pick("registry", served=A, lock=LOCK, held="7-glibc", **BUILT)["faults"]
    assert "its data volume holds 7-glibc, the image from registry wants 7-musl" in fault


def test_a_mirror_that_is_silent_is_named_once() -> None:
    """Not for each name that it would have been asked for."""
    got = pick(served=LookupError("no route"), **BUILT)
    assert [reason for reason in got["reasons"] if "no route" in reason] == [
        "registry: mirror.test/library/redis: no route"
    ]


def test_what_images_lock_leaves_out() -> None:
    """An image without upstream that no mirror has; not one that nobody could ask for."""
    images = {"redis": {"image": OWN}}
    absent = pick("registry", image=OWN, served=NotServedError("manifest unknown"), **BUILT)
    gone = choice_results.unlockable({"redis": absent}, images)
    assert list(gone) == ["redis"]
    assert choice_results.lock_faults({"redis": absent}, images) == []
    assert choice_results.lock_lines({"redis": absent}, {}, gone)[0].startswith("redis: not locked (registry: ")
    assert choice_results.lock_lines({"redis": absent}, {"redis": LOCK}, gone)[0].startswith(f"redis: {A} -> none (")
    assert yaml.safe_load(
        choice_results.lock_file(choice_results.lock_file(None, {"redis": LOCK}, "n"), {}, "n", True, ["redis"])
    ) == {"ready_images_lock": {}}
    silent = pick("registry", image=OWN, served=LookupError("no route"), **BUILT)
    assert len(choice_results.lock_faults({"redis": silent}, images)) == 1
    upstream = pick("registry", served=NotServedError("manifest unknown"))
    assert len(choice_results.lock_faults({"redis": upstream}, {"redis": {"image": IMAGE}})) == 1


def test_without_docker_nothing_is_known_of_registries() -> None:
    """Preflight says nothing then, but for what no registry could have."""
    recipes = {"redis": {"ref": "ready/redis:7-abc"}}
    images, wanted = {"redis": OWN}, {"redis": "registry"}
    got = choose_all(None, images, wanted, "mirror.test", {}, {}, "none", None, {}, recipes)
    assert choice_results.foreseen(got) == {"redis": ""}
    lock = {"redis": {"repository": "ready/built/redis", "tag": "7-abc", "digest": A}}
    got = choose_all(None, images, wanted, "mirror.test", lock, {}, "none", None, {}, recipes)
    assert choice_results.foreseen(got) == {"redis": ""}
    got = choose_all(None, images, wanted, "", {}, {}, "none", None, {}, recipes)
    assert "container_images_registry_mirror is not set" in choice_results.foreseen(got)["redis"]
