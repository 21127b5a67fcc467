# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A limit that is too small is refused before anything is changed, with both figures."""

from __future__ import annotations

from typing import Any

import pytest
from ready.common.units import setting_size
from ready.docker.memory_use import held
from ready.preflight import memory
from ready.stack.definitions import load_definitions

from tests.unit.conftest import resolved_stack

MIB = 2**20


def judged(held_by: dict[str, int] | None = None, **variables: Any) -> Any:
    """Return the check of the default stack with these variables, while services hold so much memory."""
    state = {name: {"memory_held": size} for name, size in (held_by or {}).items()}
    return memory.check_limits(resolved_stack(**variables)["services"], state)


@pytest.mark.parametrize(
    ("variables", "found", "expected"),
    [
        ({"redis_memory": "4k"}, "redis_memory 4 KiB", "at least 8 MiB"),
        ({"postgresql_memory": "8m"}, "postgresql_memory 8 MiB", "at least 48 MiB"),
        ({"neo4j_memory": "64m"}, "neo4j_memory 64 MiB", "at least 448 MiB"),
        (
            {"postgresql_memory": "64m", "postgresql_settings": {"shared_buffers": "2GB"}},
            "postgresql_memory 64 MiB with shared_buffers 2,048 MiB",
            "at least 2,084 MiB",
        ),
        (
            {"postgresql_settings": {"shared_buffers": 262144}},
            "postgresql_memory 512 MiB with shared_buffers 2,048 MiB",
            "at least 2,084 MiB",
        ),
        (
            {"neo4j_settings": {"server.memory.heap.max_size": "1200m", "server.memory.pagecache.size": "512m"}},
            "server.memory.heap.max_size 1,200 MiB and server.memory.pagecache.size 512 MiB",
            "at least 1,936 MiB",
        ),
        ({"redis_settings": {"maxmemory": "300mb"}}, "redis_memory 256 MiB with maxmemory 300 MiB", "at least 303 MiB"),
    ],
)
def test_too_small(variables: dict[str, Any], found: str, expected: str) -> None:
    """The figure that was found, the one that is needed, and what to set."""
    check = judged(**variables)
    assert check.verdict == "fail"
    assert found in check.found
    assert expected in check.expected
    assert "_memory higher" in check.next


def test_less_than_the_store_uses_now() -> None:
    """A store would be killed when it loads its data again."""
    check = judged({"redis": 200 * MIB}, redis_memory="128m")
    assert (check.verdict, check.found) == ("fail", "redis_memory 128 MiB while redis uses 200 MiB")
    assert "at least 200 MiB" in check.expected
    assert check.next == "set redis_memory to at least 200 MiB: its data are in memory"
    assert judged({"redis": 100 * MIB}, redis_memory="128m").verdict == "pass"


@pytest.mark.parametrize(("name", "held_now", "limit"), [("neo4j", 2500, "1536m"), ("postgresql", 1500, "1g")])
def test_a_store_that_scales_with_its_limit_gets_a_lower_one(name: str, held_now: int, limit: str) -> None:
    """Its heap and buffers are what it holds, and both are smaller below a smaller limit."""
    assert judged({name: held_now * MIB}, **{f"{name}_memory": limit}).verdict == "pass"


def test_every_fault_is_named_at_once() -> None:
    """Nobody has to run once for each of them."""
    check = judged(redis_memory="4k", postgresql_memory="8m")
    assert "redis_memory" in check.found
    assert "postgresql_memory" in check.found


@pytest.mark.parametrize("name", list(load_definitions()))
def test_the_least_and_the_default_fit_their_own_settings(name: str) -> None:
    """Settings are tuned from the limit: no limit that a definition allows may be refused for its own settings."""
    needs = ["chromadb"] if name == "gateway" else []
    least = load_definitions()[name]["least"]["memory"]
    for variables in ({}, {f"{name}_memory": least}, {f"{name}_memory": "64g"}):
        stack = resolved_stack(ready_services=[*needs, name], **variables)
        assert memory.check_limits(stack["services"], {}).verdict == "pass", variables


@pytest.mark.parametrize(
    ("value", "unit", "size"),
    [
        ("128MB", 8192, 128 * MIB),
        ("16384", 8192, 128 * MIB),
        (16384, 8192, 128 * MIB),
        ("100b", 8192, 100),
        ("1.5g", 1, 3 * 2**29),
        ("0", 1, 0),
        ("50%", 1, None),
        ("", 1, None),
    ],
)
def test_setting_bytes(value: Any, unit: int, size: int | None) -> None:
    """A number without a unit counts what the engine counts; what is no size is left to the engine."""
    assert setting_size(value, unit) == size


def test_held_memory_leaves_out_what_the_kernel_takes_back() -> None:
    """Of both versions of control groups; nothing is guessed where Docker says nothing."""
    assert held({"usage": 900, "stats": {"anon": 100, "shmem": 20, "file": 500, "inactive_file": 400}}) == 120
    first = {"total_active_anon": 90, "total_inactive_anon": 30, "total_cache": 500, "total_inactive_file": 400}
    assert held({"usage": 900, "stats": first}) == 120
    assert held({}) is None
