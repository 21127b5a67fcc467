# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Each store answers, and what carries the prefix is removed without touching what does not."""

import secrets
from collections.abc import Sequence

import pytest

from catalogue.settings import Settings
from catalogue.stores import Stores, remove

VECTOR: Sequence[float] = [1.0, 2.0]


def test_each_store_answers(stores: Stores) -> None:
    """By its own driver."""
    with stores.postgresql.cursor() as cursor:
        cursor.execute("SELECT 41 + 1")
        assert cursor.fetchone() == (42,)
    assert stores.neo4j.execute_query("RETURN 42 AS n").records[0]["n"] == 42
    assert stores.chromadb.heartbeat() > 0
    assert stores.redis.ping()


def test_a_connection_that_was_closed_is_opened_again(stores: Stores) -> None:
    """A server that was restarted needs no restart of the application."""
    stores.postgresql.close()
    with stores.postgresql.cursor() as cursor:
        cursor.execute("SELECT 1")
        assert cursor.fetchone() == (1,)


def test_only_what_carries_the_prefix_is_removed(settings: Settings) -> None:
    """A neighbour with a longer name keeps its data."""
    mine, other = f"{settings.prefix}_a", f"{settings.prefix}_ab"
    both = [Settings(**{**vars(settings), "prefix": prefix}) for prefix in (mine, other)]
    try:
        for its in both:
            with Stores(its) as stores:
                stores.redis.set(its.key("x"), secrets.token_hex(2), ex=60)
                stores.collection().upsert(ids=["x"], embeddings=[VECTOR], documents=["x"])
                stores.neo4j.execute_query(f"CREATE (:{its.label} {{key: 'x'}})")
        assert remove(both[0]) == {"neo4j": 1, "chromadb": 1, "redis": 1}
        assert remove(both[1]) == {"neo4j": 1, "chromadb": 1, "redis": 1}
    finally:
        for its in both:
            remove(its)


@pytest.mark.parametrize("store", ["neo4j_uri", "chroma_url", "redis_url"])
def test_a_store_that_is_away_does_not_spare_the_others(settings: Settings, store: str) -> None:
    """Each is said by name."""
    away = {"neo4j_uri": "bolt://127.0.0.1:1", "chroma_url": "http://127.0.0.1:1", "redis_url": "redis://127.0.0.1:1"}
    removed = remove(Settings(**{**vars(settings), "prefix": f"{settings.prefix}_x", store: away[store]}))
    name = {"neo4j_uri": "neo4j", "chroma_url": "chromadb", "redis_url": "redis"}[store]
    assert isinstance(removed.pop(name), str)
    assert set(removed.values()) == {0}
