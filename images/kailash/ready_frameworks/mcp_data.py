# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the tools of MCP are asked about: drawn at random in each run, and in the stores alone."""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

PRODUCTS = (
    "cordless drill",
    "angle grinder",
    "claw hammer",
    "circular saw",
    "water pump",
    "paint roller",
    "safety helmet",
    "belt sander",
)
_SYLLABLES = ("ba", "ke", "lo", "mi", "tu", "ra", "ve", "so", "ni", "do", "ga", "pe")
_KINDS = ("Tools", "Trading", "Works", "Supply")
DIMENSIONS, NEAREST = 8, 3


@dataclass(frozen=True)
class Data:
    """The products of a run.

    Attributes:
        word: in the id of everything, so that nothing else is taken for it.
        facts: tool -> product -> the value that only the store has.
        vectors: product -> its place in ChromaDB.
    """

    word: str
    facts: dict[str, dict[str, str]]
    vectors: dict[str, list[float]]

    @property
    def products(self) -> list[str]:
        """The names in the order of the alphabet, as the tool lists them."""
        return sorted(self.vectors)

    def key(self, product: str) -> str:
        """Return a product's id."""
        return f"{self.word}-{product.replace(' ', '-')}"

    def answers(self, tool: str, product: str) -> dict[str, Any]:
        """Return what a tool must answer."""
        if tool == "products":
            return {"products": self.products}
        if tool == "similar":
            return {"product": product, "similar": self.nearest(product)}
        value: Any = self.facts[tool][product]
        if tool == "stock":
            return {"product": product, "stock": int(value), "unit": "pieces"}
        return {"product": product, tool: value} | ({"unit": "EUR"} if tool == "price" else {})

    def nearest(self, product: str) -> list[str]:
        """Return the products whose vectors have the smallest angle to that of one, worked out here."""

        def cosine(other: str) -> float:
            one, two = self.vectors[product], self.vectors[other]
            return sum(a * b for a, b in zip(one, two, strict=True)) / (math.hypot(*one) * math.hypot(*two))

        return sorted((each for each in self.vectors if each != product), key=cosine, reverse=True)[:NEAREST]


def draw(drawn: random.Random) -> Data:
    """Draw everything: no two products have one value, and no value is in the name of a product."""
    names = set[str]()
    while len(names) < len(PRODUCTS):
        names.add("".join(drawn.choice(_SYLLABLES) for _ in range(3)).capitalize() + f" {drawn.choice(_KINDS)}")
    companies = sorted(names)
    drawn.shuffle(companies)
    prices, stocks = drawn.sample(range(10000, 99999), len(PRODUCTS)), drawn.sample(range(100, 9999), len(PRODUCTS))
    return Data(
        word=f"mcp{drawn.randrange(16**8):08x}",
        facts={
            "price": {each: f"{price / 100:.2f}" for each, price in zip(PRODUCTS, prices, strict=True)},
            "stock": {each: str(stock) for each, stock in zip(PRODUCTS, stocks, strict=True)},
            "company": dict(zip(PRODUCTS, companies, strict=True)),
        },
        vectors={each: [drawn.gauss(0, 1) for _ in range(DIMENSIONS)] for each in PRODUCTS},
    )


def put(stores: Any, data: Data) -> dict[str, str]:
    """Put the data into the stores; return what is away, each with the error's class."""
    away: dict[str, str] = {}
    steps: dict[str, Callable[[Any, Data], None]] = {
        "PostgreSQL": _rows,
        "Neo4j": _links,
        "ChromaDB": _vectors,
    }
    for service, step in steps.items():
        try:
            step(stores, data)
        except Exception as error:  # drivers share no base class
            away[service] = type(error).__name__
    return away


def _rows(stores: Any, data: Data) -> None:
    with stores.postgresql.cursor() as cursor:
        cursor.execute("SELECT 1")
    _ = stores.dataflow  # makes the tables
    rows = [
        (data.key(each), data.word, data.word, each, each, int(data.facts["stock"][each]), data.facts["price"][each])
        for each in PRODUCTS
    ]
    with stores.postgresql.cursor() as cursor:
        cursor.execute("DELETE FROM product_catalogs")  # the database is the run's alone
        cursor.executemany(
            "INSERT INTO product_catalogs (id, category_id, supplier_id, name, description, stock, price, available) "
            "VALUES (%s, %s, %s, %s, %s, %s, %s, true)",
            rows,
        )


def _links(stores: Any, data: Data) -> None:
    label = stores.settings.label
    stores.neo4j.execute_query(
        f"UNWIND $rows AS row CREATE (:`{label}` {{key: 'product:' + row.id, kind: 'product', name: row.name}})"
        f"-[:SUPPLIED_BY]->(:`{label}` {{key: 'supplier:' + row.id, kind: 'supplier', name: row.company}})",
        rows=[{"id": data.key(each), "name": each, "company": data.facts["company"][each]} for each in PRODUCTS],
    )


def _vectors(stores: Any, data: Data) -> None:
    from catalogue.stores import remove_collections

    remove_collections(stores)  # of another dimension, if an earlier run left one
    stores.collection().add(
        ids=[f"{data.key(each)}:0" for each in PRODUCTS],
        embeddings=[data.vectors[each] for each in PRODUCTS],
        documents=list(PRODUCTS),
        metadatas=[{"product_id": data.key(each), "number": 0} for each in PRODUCTS],
    )


def remove(stores: Any, data: Data, away: dict[str, str]) -> None:
    """Remove the data; what is not removed here the cleaning after all parts finds."""
    from catalogue.stores import remove_collections

    def rows() -> None:
        with stores.postgresql.cursor() as cursor:
            cursor.execute("DELETE FROM product_catalogs WHERE category_id = %s", (data.word,))

    def links() -> None:
        query = f"MATCH (n:`{stores.settings.label}`) WHERE n.key CONTAINS $word DETACH DELETE n"
        stores.neo4j.execute_query(query, word=data.word)

    steps: dict[str, Callable[[], object]] = {
        "PostgreSQL": rows,
        "Neo4j": links,
        "ChromaDB": lambda: remove_collections(stores),
    }
    for service, step in steps.items():
        if service not in away:
            with suppress(Exception):
                step()
