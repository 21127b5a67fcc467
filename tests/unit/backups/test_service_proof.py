"""With which image a set's part is loaded."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from docker.errors import ImageNotFound
from ready.backups.service_proof import choose_image

MADE = {"id": "old", "digests": ["d@old"], "engine_version": "15.20", "data_format": "15-musl"}


def a_client(*there: str) -> Any:
    """Return a client of a host that has these images."""

    def get(name: str) -> Any:
        if name not in there:
            raise ImageNotFound(name)
        return SimpleNamespace(id=name)

    return SimpleNamespace(images=SimpleNamespace(get=get))


def part(physical: bool) -> dict[str, Any]:
    """Return a set's part."""
    return {"physical": physical, "image": MADE}


def here(version: str, data_format: str) -> dict[str, Any]:
    """Return what runs here."""
    return {"id": "new", "engine_version": version, "data_format": data_format}


@pytest.mark.parametrize(("version", "data_format"), [("17.5", "17-musl"), ("15.20", "15-glibc")])
@pytest.mark.parametrize("there", [["old"], ["d@old"]])
def test_dump_is_loaded_by_the_engine_that_takes_the_files(version: str, data_format: str, there: list[str]) -> None:
    """A cluster that the image of the set made would be of a format that this service can't read."""
    found = choose_image(a_client(*there), part(physical=False), here(version, data_format))
    assert found == ("new", f"the image that runs here, of version {version}")


@pytest.mark.parametrize(("physical", "version"), [(False, "15.21"), (True, "15.20"), (True, "17.5")])
def test_image_that_made_the_set_is_the_first_choice(physical: bool, version: str) -> None:
    """Where what it makes can be read here."""
    its = here(version, "15-musl")
    assert choose_image(a_client("old"), part(physical), its) == ("old", "the image that made the set")
    assert choose_image(a_client("d@old"), part(physical), its)[0] == "d@old"
    assert choose_image(a_client(), part(physical), its)[0] == "new"
