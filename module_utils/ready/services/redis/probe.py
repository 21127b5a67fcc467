# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Redis, asked by redis-py."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry

from ...checks.probe import FULL, MARK, CheckError, Probe, expect

#: Seconds until a key that an interrupted run left behind is gone by itself.
EXPIRY = 60
#: The policy by which no key is ever evicted.
KEEPS_ALL = "noeviction"


def judge_memory(info: Mapping[str, Any], policy: str) -> Mapping[str, Any]:
    """Return the figures of memory. Raises CheckError when it is full, or keys were evicted, against the policy.

    Args:
        info: the sections memory and stats of INFO.
        policy: `maxmemory-policy` as the inventory has it, whatever the server goes by: what evicts by configuration is
            a cache, which is full and evicts when all is well.
    """
    used, limit, evicted = info["used_memory"], info["maxmemory"], info["evicted_keys"]
    if policy == KEEPS_ALL and limit and used >= FULL * limit:
        raise CheckError(f"memory: found {used} of {limit} bytes in use, expected less than {FULL:.0%}")
    if policy == KEEPS_ALL and evicted:
        raise CheckError(f"evicted keys since the start: found {evicted}, expected 0")
    return {
        "used_bytes": used,
        "peak_bytes": info["used_memory_peak"],
        "limit_bytes": limit,
        "fragmentation_ratio": info["mem_fragmentation_ratio"],
        "evicted_keys": evicted,
    }


class RedisProbe(Probe):
    """Checks: `memory` (use, limit, evictions), `key_value` (set, get, expire, delete), `persistence`."""

    checks = ("memory", "key_value", "persistence")

    def connect(self, account: str, **other: Any) -> redis.Redis:
        """Return a client, which connects at its first command; `other` goes to it over what is set here."""
        host, port = self.address("redis")
        user, password = self.login(account)
        settings: dict[str, Any] = {}
        if self.tls:
            settings = {"ssl": True, "ssl_ca_data": self.authority(), "ssl_check_hostname": self.check_names}
        settings |= {
            "host": host,
            "port": port,
            "username": user,
            "password": password,
            "decode_responses": True,
            "socket_timeout": self.timeout,
            "socket_connect_timeout": self.timeout,
            "retry": Retry(NoBackoff(), 0),  # ten of its own would make one timeout of half a minute
            "driver_info": None,  # Redis 7.0's ACL does not know CLIENT SETINFO
        }
        return redis.Redis(**(settings | other))

    def open(self) -> redis.Redis:
        """Return a client of the app account."""
        return self.connect("app")

    def ping(self, connection: redis.Redis) -> Mapping[str, Any]:
        """Ping, logged in."""
        expect("PING", connection.ping(), True)
        return {}

    def _info(self, *sections: str) -> dict[str, Any]:
        with self.connect("monitor") as client:
            return {key: value for section in sections for key, value in client.info(section).items()}

    def memory(self) -> Mapping[str, Any]:
        """Memory must be below its limit, and nothing evicted, unless the inventory asks for a cache."""
        policy = self.service.get("settings", {}).get("maxmemory-policy", KEEPS_ALL)
        return judge_memory(self._info("memory", "stats"), str(policy))

    def key_value(self) -> Mapping[str, Any]:
        """Set a key that expires, read it, see its expiry, delete it."""
        key, value = f"{MARK}:{uuid.uuid4().hex}", uuid.uuid4().hex
        with self.connect("app") as client:
            try:
                client.set(key, value, ex=EXPIRY)
                expect("the value that was set", client.get(key), value)
                expect("whether it expires", 0 < int(client.ttl(key)) <= EXPIRY, True)
            finally:
                client.delete(key)
            expect("the value after its removal", client.get(key), None)
        return {}

    def persistence(self) -> Mapping[str, Any]:
        """Check that the last writes to disk worked."""
        info = self._info("persistence")
        expect("rdb_last_bgsave_status", info["rdb_last_bgsave_status"], "ok")
        expect("aof_last_write_status", info["aof_last_write_status"], "ok")
        return {"aof_enabled": bool(info["aof_enabled"]), "changes_since_save": info["rdb_changes_since_last_save"]}
