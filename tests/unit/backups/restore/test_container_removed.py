"""What an interrupted restore has left is put right also when the service's container was removed meanwhile."""

from __future__ import annotations

import copy
from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import ImageNotFound, NotFound
from ready.backups.helper_containers import find_image
from ready.backups.manifest import BackupError
from ready.backups.restore import replaced_data
from ready.backups.workspace import Workspace
from ready.common.labels import LABEL_STACK

from tests.unit.backups.restore.simulated_host import REAL, SCRATCH, STACK, kept

ASIDE = "s.restore_redis_aside"


def destroyed(make: Any, there: dict[str, list[str]], **journal: list[str]) -> tuple[Any, Workspace]:
    """Return a host whose container is gone: the images that are there, by name, and what the journal says."""
    host: Any
    host, its = make("exited")

    def no_container(_: str) -> None:
        raise NotFound("s-redis")

    def get(name: str) -> Any:
        if name not in {each for ids in there.values() for each in ids}:
            raise ImageNotFound(name)
        return SimpleNamespace(id=name)

    def listed(name: str) -> list[Any]:
        return [SimpleNamespace(id=each) for each in there.get(name, [])]

    host.containers = SimpleNamespace(get=no_container, list=lambda **_: [])
    host.images = SimpleNamespace(get=get, list=listed)
    its.settings["stack"] = copy.deepcopy(STACK)
    its.stack["services"]["redis"]["image"] = {"repository": "docker.io/library/redis"}
    its.journal.note(**journal)
    host.data[REAL] = "half"
    return host, its


@pytest.mark.parametrize("images", [{"": ["noted"]}, {"redis": ["pulled"]}, {"ready/redis": ["built"]}])
def test_old_data_come_back(a_host: Any, images: dict[str, list[str]]) -> None:
    """By the image that the journal names, or another one of the service."""
    host, its = destroyed(a_host, images, swapping=["redis"], stopped=["redis"], images=["redis:noted"])
    host.data[ASIDE], host.labels[ASIDE] = "old", {LABEL_STACK: "s.aside"}
    its.heal(host)
    assert host.data == {REAL: "old"}
    assert its.journal.read() == {}


def test_proven_data_are_put_in_place(a_host: Any) -> None:
    """Where no copy of the old ones was wanted."""
    host, its = destroyed(a_host, {"": ["noted"]}, replacing=["redis"], proven=["redis"], images=["redis:noted"])
    its.heal(host)
    assert host.data == {REAL: "new"}
    assert its.journal.read() == {}


@pytest.mark.parametrize("journal", [{"replacing": ["redis"], "proven": ["redis"]}, {"swapping": ["redis"]}])
def test_nothing_goes_without_an_image(a_host: Any, journal: dict[str, list[str]]) -> None:
    """The only whole data there are stay where they are, and so does the journal, until an image is there."""
    host, its = destroyed(a_host, {}, **journal)
    host.data[ASIDE], host.labels[ASIDE] = "old", {LABEL_STACK: "s.aside"}
    with pytest.raises(BackupError, match=r"redis: found neither its container nor an image .* Next: "):
        its.heal(host)
    assert host.data == {REAL: "half", SCRATCH: "new", ASIDE: "old"}
    assert its.journal.read() == journal


def test_half_of_a_set_makes_room(a_host: Any) -> None:
    """With nothing whole left `up` refuses the data, and a restore needs a container. What there is is kept."""
    host, its = destroyed(a_host, {"redis": ["pulled"]}, replacing=["redis"], proven=[])
    del host.data[SCRATCH]
    its.heal(host)
    assert its.journal.read()["replacing"] == ["redis"]
    with pytest.raises(BackupError, match=r"no container.* in the volume s_redis_data_before_.* Next: ./ready up"):
        replaced_data.save_replaced_data(host, its, ["redis"], "h", safety=True, lose=[])
    assert REAL not in host.data
    assert kept(host) == ["half"]
    its.heal(host)
    assert its.journal.read() == {}


def test_container_is_asked_first() -> None:
    """It is there in nearly every case."""
    container: Any = SimpleNamespace(attrs={"Image": "its"})
    client: Any = None
    assert find_image(client, container, STACK, "redis", ["redis:noted"]) == "its"
