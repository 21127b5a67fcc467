# judged: GS16
import redis

from shop.cache import Cache


# found in: GS16
def test_cache():
    class FakeRedis:
        def __init__(self):
            self.values = {}

        def get(self, key):
            return self.values.get(key)

        def set(self, key, value):
            self.values[key] = value

    cache = Cache(client=FakeRedis())
    cache.put("a", 1)
    assert cache.get("a") == 1


# fine: GS16
def test_real_cache():
    # fine: GS16
    cache = Cache(client=redis.Redis())
    assert cache.get("a") is None
