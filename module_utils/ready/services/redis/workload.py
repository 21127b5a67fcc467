# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Redis's workload: keys that expire, so that an interrupted run leaves nothing for long."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import redis

from ...checks.probe import LEFTOVER_SECONDS, expect, fixture_name
from ...latency.workload import SIZE, NoRoomError, Operation, Workload, questions
from .probe import RedisProbe

_BATCH = 1000
#: Bytes of a value: a small record of an application's cache.
_VALUE = 100
#: Bytes that the fixture may take: what a key takes, with its name, its expiry and both tables, is about 300.
NEED = SIZE * 600


def value(number: int) -> str:
    """Return the value of a key."""
    return f"{number}:".ljust(_VALUE, "x")


def expect_room(info: Mapping[str, Any]) -> None:
    """Raise NoRoomError where the fixture would take memory to its limit: then keys are evicted, or writes refused.

    Args:
        info: the section memory of INFO.
    """
    used, limit = info["used_memory"], info["maxmemory"]
    if limit and used + NEED > limit:
        raise NoRoomError(
            f"memory: found {used} of {limit} bytes in use, expected {NEED} bytes of room for the keys to measure; "
            "none were written, for the server would have evicted others or refused writes"
        )


class RedisWorkload(Workload):
    """Operations: `cache_hit` (a key that is there), `cache_miss` (one that is not, and is set then)."""

    size = f"{SIZE} keys of {_VALUE} bytes"

    def __init__(self, probe: RedisProbe) -> None:
        super().__init__(probe)
        self.probe = probe
        self.name = fixture_name(":")
        self.client: redis.Redis | None = None
        self.filled = 0

    def _client(self) -> redis.Redis:
        # One connection for good: taking it from a pool and giving it back costs as much as the request.
        client: redis.Redis = self.probe.connect("app").client()  # type: ignore[no-untyped-call]
        return client

    def open(self) -> None:
        """Open the kept connection."""
        self.client = self._client()

    def close(self) -> None:
        """Close it."""
        if self.client:
            self.client.close()

    def round_trip(self) -> None:
        """Ping."""
        if self.client:
            self.client.ping()

    def reconnect(self) -> None:
        """Connect, ping, close."""
        with self.probe.connect("app") as client:
            client.ping()

    def build(self) -> None:
        """Set the keys, if there is room for them."""
        with self.probe.connect("monitor") as client:
            expect_room(client.info("memory"))
        with self.probe.connect("app") as client:
            for start in range(0, SIZE, _BATCH):
                pipeline = client.pipeline(transaction=False)
                for number in range(start, min(start + _BATCH, SIZE)):
                    pipeline.set(f"{self.name}:{number}", value(number), ex=LEFTOVER_SECONDS)
                pipeline.execute()

    def operations(self) -> list[Operation]:
        """Return the operations."""
        client = self.client or self._client()
        numbers = questions(3)
        keys = [f"{self.name}:{number}" for number in numbers]

        def hit(number: int) -> Any:
            return client.get(keys[number % len(keys)])

        def check_hit(number: int, found: Any) -> None:
            number %= len(keys)
            expect(f"the value of {keys[number]}", found, value(numbers[number]))

        def miss(_: int) -> Any:
            # A key is missing once only, also when the series is measured again.
            key = f"{self.name}:miss:{self.filled}"
            self.filled += 1
            return client.get(key), client.set(key, "filled", ex=LEFTOVER_SECONDS)

        def check_miss(_: int, found: Any) -> None:
            expect("a missing key, and setting it", found, (None, True))

        return [
            Operation("cache_hit", "latency_p95_ms", hit, check_hit),
            Operation("cache_miss", "cache_miss_p95_ms", miss, check_miss, judged=False),
        ]

    def remove(self) -> None:
        """Delete the keys without making the server wait."""
        keys = [f"{self.name}:{number}" for number in range(SIZE)]
        keys += [f"{self.name}:miss:{number}" for number in range(self.filled)]
        with self.probe.connect("app") as client:
            for start in range(0, len(keys), _BATCH):
                client.unlink(*keys[start : start + _BATCH])
