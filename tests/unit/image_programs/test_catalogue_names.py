# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the example application takes as the name of a session or run, and how it compares results."""

from __future__ import annotations

import pytest
from catalogue.runs import Runs, text
from catalogue.sessions import LONGEST, Sessions, named


@pytest.mark.parametrize("name", ["a", "s-1", "36ce43a1-e63d-4128-8492-cd6788b0e43b", "A_b.c", "x" * 64])
def test_names_are_taken(name: str) -> None:
    """Ids of Kailash's runs are among them."""
    assert named("run id", name) == name


@pytest.mark.parametrize("name", ["", "a:b", "*", "a b", "-a", "x" * 65, "a\n", "ä", None, 3])
def test_what_could_reach_another_key_is_refused(name: str) -> None:
    """It would be part of a key in Redis."""
    with pytest.raises(ValueError, match="session id"):
        named("session id", name)
    for refused in (Sessions(None, "p").key, Runs(None, "p").key):
        with pytest.raises(ValueError, match="is no name"):
            refused(name)


def test_keys_carry_the_prefix() -> None:
    """Sessions and runs of one application are its own."""
    assert Sessions(None, "p").key("s") == "p:session:s"
    assert Runs(None, "p").key("r") == "p:run:r"


@pytest.mark.parametrize(("value", "seconds"), [("v", 0), ("v", 3601), ("v" * (LONGEST + 1), 60)])
def test_a_session_is_small_and_ends(value: str, seconds: int) -> None:
    """Refused before anything is written."""
    with pytest.raises(ValueError, match="expected"):
        Sessions(None, "p").put("s", "key", value, "api", seconds)


def test_equal_results_have_one_text() -> None:
    """Whatever their order; what JSON can't say is no result."""
    assert text({"b": 1, "a": [1.5]}) == text({"a": [1.5], "b": 1}) == '{"a":[1.5],"b":1}'
    with pytest.raises(ValueError, match="JSON"):
        text(float("nan"))
    with pytest.raises(TypeError):
        text({"a": object()})
