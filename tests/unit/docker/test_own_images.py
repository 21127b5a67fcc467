"""Which images `prune` removes: Ready's own, by name, and never one that somebody else named or built."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from ready.docker.own_images import unused_images
from ready.images.record import record_images, record_would_change, recorded_images

RECIPES = ("base", "redis")


def image(number: int, *names: str, layers: str = "", labels: dict[str, str] | None = None) -> dict[str, Any]:
    """Return an image as `docker image inspect` shows it; layers are a letter each."""
    return {
        "Id": f"sha256:{number:064x}",
        "RepoTags": [name for name in names if "@" not in name],
        "RepoDigests": [name for name in names if "@" in name],
        "Size": 1000,
        "Config": {"Labels": {"io.ready.image": "redis"} if labels is None else labels},
        "RootFS": {"Layers": list(layers or f"x{number}")},
    }


def removed(*images: dict[str, Any], used: tuple[int, ...] = (), here: tuple[int, ...] = ()) -> list[str]:
    """Return the names, or ids in short, that go."""
    ids = [f"sha256:{number:064x}" for number in used], [f"sha256:{number:064x}" for number in here]
    going = unused_images(images, ids[0], RECIPES, ids[1])
    return [name for each in going if not each["stays"] for name in each["remove"]]


def test_by_its_name_or_by_the_record() -> None:
    """The label alone is inherited; an image of ours without a name is known by its id."""
    assert removed(image(1, "ready/redis:7-abc")) == ["ready/redis:7-abc"]
    assert removed(image(1, "ready/redis:7-abc"), used=(1,)) == []
    assert removed(image(1)) == []
    assert removed(image(1), here=(1,)) == [f"sha256:{1:064x}"]
    assert removed(image(1, "<none>:<none>", "<none>@<none>"), here=(1,)) == [f"sha256:{1:064x}"]
    assert removed(image(1, "ready/mine:1")) == []
    assert removed(image(1, "ready/redis:7-abc", labels={})) == []
    assert removed(image(1, labels={}), here=(1,)) == []


def test_what_a_user_built_from_ours_stays() -> None:
    """Named or not; and what it stands on stays with it, although no container uses that."""
    base, ours = image(1, "ready/base:b", layers="a"), image(2, "ready/redis:7-abc", layers="ab")
    assert removed(base, ours) == ["ready/base:b", "ready/redis:7-abc"]
    assert removed(base, ours, image(3, "shop/cache:1", layers="abc")) == []
    assert removed(base, ours, image(3, layers="abc")) == []
    assert removed(base, ours, image(3, "shop/cache:1", layers="ab")) == [], "with other labels only"
    assert removed(base, ours, image(3, "shop/cache:1", layers="xbc")) == ["ready/base:b", "ready/redis:7-abc"]


@pytest.mark.parametrize("files", [None, {}, {"Type": "layers"}, {"Layers": None}])
def test_an_image_without_layers(files: dict[str, Any] | None) -> None:
    """Such as one FROM scratch, or an artifact without a configuration: nothing stands on it, nor it on anything."""
    empty = image(3, "shop/labels:1")
    del empty["RootFS"], empty["Config"]
    if files is not None:
        empty["RootFS"] = files
    assert removed(image(1, "ready/redis:7-abc"), empty) == ["ready/redis:7-abc"]


def test_the_base_stays_while_an_image_on_it_is_used() -> None:
    """It takes minutes to build; its old ones go."""
    images = (
        image(1, "ready/base:new", layers="a"),
        image(2, "ready/redis:7-abc", layers="ab"),
        image(3, "ready/base:old"),
    )
    assert removed(*images, used=(2,)) == ["ready/base:old"]


def test_a_foreign_name_keeps_an_image() -> None:
    """Whole, recorded or not, and by a digest as well; a digest of our own name is none."""
    for foreign in ("keep:me", "registry.test:5000/ready/redis:7-abc", "registry.test:5000/ready/redis@sha256:1"):
        assert removed(image(1, "ready/redis:7-abc", foreign), here=(1,)) == []
        assert removed(image(1, foreign), here=(1,)) == []
    assert removed(image(1, "ready/redis:7-abc", "ready/redis@sha256:1")) == ["ready/redis:7-abc"]
    (kept,) = unused_images([image(1, "ready/redis:7-abc", "keep:me")], [], RECIPES, [])
    assert (kept["name"], kept["stays"]) == ("ready/redis:7-abc", "keep:me")


def test_the_record(tmp_path: Path) -> None:
    """Ids are added once and forgotten; a damaged one says that nothing is known."""
    path = tmp_path / "ready" / "images.json"
    assert recorded_images(path) == []
    assert record_would_change(["b", "a"], path)
    assert record_images(["b", "a"], path)
    assert not record_images(["a"], path)
    assert record_images(["c"], path)
    assert recorded_images(path) == ["a", "b", "c"]
    assert record_images(["a", "x"], path, forget=True)
    assert not record_would_change(["a"], path, forget=True)
    assert recorded_images(path) == ["b", "c"]
    path.write_text("{")
    assert recorded_images(path) == []
