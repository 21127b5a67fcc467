# judged: GS16
import fakeredis
import mongomock
import respx
import responses
from fakeredis import FakeStrictRedis as Store
from moto import mock_aws


# found: GS16
@responses.activate
def test_http():
    assert True


# found: GS16
@mock_aws
def test_cloud():
    assert True


# found: GS16
@mock_aws()
def test_cloud_called():
    assert True


def test_httpx():
    # found: GS16
    with respx.mock:
        assert True


def test_redis():
    # found: GS16
    client = fakeredis.FakeRedis()
    assert client


def test_redis_alias():
    # found: GS16
    client = Store()
    assert client


def test_mongo():
    # found: GS16
    client = mongomock.MongoClient()
    assert client


def test_words(api):
    # fine: GS16
    replies = [api.get(str(n)) for n in range(3)]
    # fine: GS16
    assert api.patch("/orders/1", json={"state": "paid"}), replies
