"""Images that only verbs need: obtained, saved and pushed as services' are, and never a part of what `up` needs."""

from __future__ import annotations

import re
from pathlib import Path

from ready.images import buildable_images
from ready.images.job_images import TOOLS
from ready.stack.image_names import stack_images

from tests.unit.conftest import resolved_stack

ROOT = Path(__file__).resolve().parents[3]


def test_the_version_is_the_locks() -> None:
    """It is in the image's name."""
    for name, version in TOOLS.items():
        lock = (ROOT / "images" / name / "requirements.txt").read_text(encoding="utf-8")
        assert re.findall(rf"(?m)^{name}(?:\[[a-z,]+\])?==(\S+)", lock) == [version]


def test_up_does_not_need_it() -> None:
    """What the stack runs from is what it was; what may be obtained is more."""
    stack = resolved_stack()
    assert "kailash" not in stack_images(stack)
    assert set(buildable_images.known(stack)) == {*stack_images(stack), "kailash"}


def test_what_is_there_is_saved_and_pushed() -> None:
    """By the name that this checkout builds it as; an older one is left out."""
    (ref,) = buildable_images.of_verbs(resolved_stack())
    assert ref.startswith(f"ready/kailash:{TOOLS['kailash']}-")
    found = [{"Id": "sha256:1", "RepoTags": [ref, "mine:1"]}, {"Id": "sha256:2", "RepoTags": ["ready/kailash:1-old"]}]
    there = buildable_images.tools(found)
    assert there == {
        "kailash": {
            "ref": ref,
            "id": "sha256:1",
            "source": "build",
            "data_format": "none",
            "engine_version": TOOLS["kailash"],
        }
    }
    pushed = buildable_images.tools_to_push(there, "mirror.example:5000")
    assert pushed["kailash"]["repository"] == "mirror.example:5000/ready/built/kailash"
    assert pushed["kailash"]["tag"] == ref.rpartition(":")[2]
    assert buildable_images.tools([]) == {}
