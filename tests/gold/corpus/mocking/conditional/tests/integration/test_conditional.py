# judged: GS16
try:
    from unittest.mock import AsyncMock as Pretend
except ImportError:
    from mock import AsyncMock as Pretend

try:
    import fakeredis as store
except ImportError:
    import redis as real_store


def test_pretend():
    # found: GS16
    client = Pretend()
    assert client


class TestNested:
    class TestInner:
        def test_inner(self):
            # found: GS16
            client = store.FakeRedis()
            assert client


async def test_async():
    # found: GS16
    async with Pretend() as client:
        assert client
