"""redis-py with hiredis, as sync and async client, with RESP2 and RESP3."""

import asyncio
import time

import redis
import redis.asyncio
from redis.utils import HIREDIS_AVAILABLE
from settings import CA, ENV, expect

KEY = "clients:redis-py"
LUA = "return redis.call('INCRBY', KEYS[1], ARGV[1])"


def sync(protocol: int) -> None:
    """Data, a transaction, a script, a lock, a stream with a group, pub/sub, and what a connection says of itself."""
    client = redis.Redis.from_url(ENV["REDIS_URL"], protocol=protocol, client_name="app", decode_responses=True)
    client.delete(KEY, f"{KEY}:n", f"{KEY}:s", f"{KEY}:l")
    client.hset(KEY, mapping={"a": "1", "b": "2"})
    expect(client.hgetall(KEY), {"a": "1", "b": "2"}, "HGETALL")
    client.expire(KEY, 60)
    expect(client.client_getname(), "app", "CLIENT GETNAME")
    assert client.client_id() > 0
    assert client.client_info()["name"] == "app"
    expect(client.info("server")["redis_mode"], "standalone", "INFO server")
    assert "maxmemory_policy" in client.info()
    assert client.command_count() > 200
    assert client.dbsize() > 0
    expect(list(client.scan_iter(f"{KEY}*")), [KEY], "SCAN")

    def raise_it(pipe: redis.client.Pipeline) -> None:
        now = int(pipe.get(f"{KEY}:n") or 0)
        pipe.multi()
        pipe.set(f"{KEY}:n", now + 1)

    expect(client.transaction(raise_it, f"{KEY}:n"), [True], "WATCH, MULTI, EXEC")
    expect(client.register_script(LUA)(keys=[f"{KEY}:n"], args=[4]), 5, "EVALSHA")
    expect(client.eval(LUA, 1, f"{KEY}:n", 5), 10, "EVAL")
    client.rpush(f"{KEY}:l", 3, 1, 2)
    expect(client.sort(f"{KEY}:l"), ["1", "2", "3"], "SORT")
    with client.lock(f"{KEY}:lock", timeout=5):
        pass
    client.xgroup_create(f"{KEY}:s", "workers", mkstream=True)
    entry = client.xadd(f"{KEY}:s", {"job": "1"})
    found = client.xreadgroup("workers", "w1", {f"{KEY}:s": ">"}, block=2000)
    # RESP3 has a map where RESP2 has a list of pairs
    assert entry in str(found), f"XREADGROUP: found {found}, expected {entry}"
    expect(client.xack(f"{KEY}:s", "workers", entry), 1, "XACK")
    with client.pubsub(ignore_subscribe_messages=True) as channel:
        channel.psubscribe("clients:*")
        deadline = time.monotonic() + 5
        while client.publish("clients:news", "hello") == 0 and time.monotonic() < deadline:
            channel.get_message(timeout=0.1)
        while (message := channel.get_message(timeout=1)) is None and time.monotonic() < deadline:
            pass
        expect((message or {}).get("data"), "hello", "PSUBSCRIBE")
    login = {"username": ENV["REDIS_USERNAME"], "password": ENV["REDIS_PASSWORD"]}
    tls = {"ssl": True, "ssl_ca_certs": CA} if CA else {}
    other = redis.Redis(ENV["REDIS_HOST"], int(ENV["REDIS_PORT"]), db=1, **login, **tls)
    expect(other.exists(KEY), 0, "SELECT 1, EXISTS")
    client.delete(KEY, f"{KEY}:n", f"{KEY}:s", f"{KEY}:l")


async def asynchronous() -> None:
    """The same driver under asyncio."""
    async with (
        redis.asyncio.from_url(ENV["REDIS_URL"], decode_responses=True) as client,
        client.pipeline(transaction=True) as pipe,
    ):
        expect(await pipe.set(KEY, "x", ex=60).get(KEY).delete(KEY).execute(), [True, "x", 1], "MULTI, EXEC")


assert HIREDIS_AVAILABLE
for version in (2, 3):
    sync(version)
asyncio.run(asynchronous())
