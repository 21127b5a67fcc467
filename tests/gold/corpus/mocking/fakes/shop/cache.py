import redis


class Cache:
    def __init__(self, client=None):
        self.client = client or redis.Redis()

    def get(self, key):
        return self.client.get(key)

    def put(self, key, value):
        self.client.set(key, value)
