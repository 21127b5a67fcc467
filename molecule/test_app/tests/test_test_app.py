"""The evidence counts every test of the application, and nothing of the run is left."""

from __future__ import annotations

import json

import docker
from ready.evidence.document import check

from tests.stack import molecule_stack

STACK = molecule_stack(["postgresql", "redis"])
EVIDENCE = STACK.key_file.parent / "evidence" / STACK.name / "localhost" / "test_app.json"


def test_evidence() -> None:
    """24 of 25 were executed, one is skipped, and the stores hold what they held."""
    evidence = json.loads(EVIDENCE.read_text(encoding="utf-8"))
    assert check(evidence) == []
    results = evidence["results"]
    assert (evidence["verdict"], results["discovered"], results["executed"]) == ("pass", 25, 24)
    assert [its["test"] for its in results["tests"] if its["outcome"] == "skipped"] == [
        "tests/test_good.py::test_skipped"
    ]
    assert set(results["stores"]) == {"postgresql", "redis"}
    assert all(its["compared"] and not its["left"] for its in results["stores"].values())


def test_nothing_is_left() -> None:
    """The container is gone."""
    labels = [f"io.ready.stack={STACK.name}", "io.ready.job"]
    assert docker.from_env().containers.list(all=True, filters={"label": labels}) == []
