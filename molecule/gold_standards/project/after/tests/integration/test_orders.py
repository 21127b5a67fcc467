"""Orders, on the services that there are."""

import os

import redis


def test_orders() -> None:
    """What is written is read."""
    with redis.Redis.from_url(os.environ["REDIS_URL"]) as client:
        client.set("shop:order", "1", ex=60)
        assert client.get("shop:order") == b"1"
