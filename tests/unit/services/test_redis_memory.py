"""Redis's memory: when it is a fault that it is full, and when there is room for what is measured."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ready.checks.probe import CheckError
from ready.host.installed import stack_document
from ready.latency.workload import SIZE, NoRoomError
from ready.services.redis.probe import KEEPS_ALL, judge_memory
from ready.services.redis.workload import NEED, expect_room
from ready.stack.definitions import load_definitions, resolve_stack

MIB = 2**20


def info(**changes: Any) -> dict[str, Any]:
    """Return what INFO says of a server that is well."""
    return {
        "used_memory": 10 * MIB,
        "used_memory_peak": 12 * MIB,
        "maxmemory": 100 * MIB,
        "mem_fragmentation_ratio": 1.1,
        "evicted_keys": 0,
    } | changes


@pytest.mark.parametrize(
    ("changes", "fault"),
    [({"evicted_keys": 3}, "evicted keys since the start: found 3"), ({"used_memory": 95 * MIB}, "less than 90%")],
)
def test_a_store_that_is_full_or_evicts_is_a_fault(changes: dict[str, Any], fault: str) -> None:
    """By its configuration it keeps everything."""
    with pytest.raises(CheckError, match=fault):
        judge_memory(info(**changes), KEEPS_ALL)
    assert judge_memory(info(), KEEPS_ALL)["evicted_keys"] == 0


@pytest.mark.parametrize("policy", ["allkeys-lru", "volatile-ttl"])
def test_a_cache_may_be_full_and_evict(policy: str) -> None:
    """That is what it is configured for; the figures are reported."""
    figures = judge_memory(info(evicted_keys=3, used_memory=100 * MIB), policy)
    assert (figures["evicted_keys"], figures["used_bytes"]) == (3, 100 * MIB)


def test_the_fixture_takes_no_room_from_others() -> None:
    """It is not built where it would take memory to the limit, whatever happens there."""
    expect_room(info())
    expect_room(info(maxmemory=0))  # no limit
    expect_room(info(used_memory=100 * MIB - NEED))
    with pytest.raises(NoRoomError, match="none were written"):
        expect_room(info(used_memory=100 * MIB - NEED + 1))
    assert NEED > SIZE * 300


def test_the_probe_on_the_host_knows_that_it_is_a_cache() -> None:
    """The description that `ready.probe --stack` reads has the settings."""
    variables = {"stack_name": "ready", "ready_services": ["redis"], "ready_bind_address": "127.0.0.1"}
    cache = variables | {"redis_settings": {"maxmemory-policy": "allkeys-lru"}}
    described = json.loads(stack_document(resolve_stack(load_definitions(), cache)))
    assert described["services"]["redis"]["settings"]["maxmemory-policy"] == "allkeys-lru"
