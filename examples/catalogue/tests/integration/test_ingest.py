# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A document goes into all stores, once, and questions are answered from them."""

import json
import secrets
from typing import Any

import pytest

from catalogue import steps
from catalogue.documents import DocumentError
from catalogue.ingest import Ingestion
from catalogue.stores import Stores

PRODUCT = "Heat Pump HP-12"


def written(product: str, code: str, supplier: str = "Nordwind") -> str:
    """Return a document; ids of supplier and category carry the product's, so that they can be removed."""
    head = f"Product: {PRODUCT}\nId: {product}\nCategory: Heating {product}\nSupplier: {supplier} {product}"
    text = f"The {PRODUCT} warms a house.\n\nThe service code of the {PRODUCT} is {code}."
    return f"{head}\nPrice: 1290.50\nStock: 7\n\n{text}"


def state(stores: Stores, product: str) -> list[Any]:
    """Return what is in the stores, asked without the application's own steps."""
    label, key = stores.settings.label, stores.settings.key("product", product)
    with stores.postgresql.cursor() as cursor:
        cursor.execute("SELECT id, supplier_id, price FROM product_catalogs WHERE id = %s", [product])
        rows = cursor.fetchall()
    kept = stores.collection().get(where={"product_id": product}, include=["documents"])
    query = f"MATCH (:{label} {{key: $key}})-[r]->(o) RETURN type(r) AS t, o.name AS n ORDER BY t"
    links = [tuple(each) for each in stores.neo4j.execute_query(query, key=f"product:{product}").records]
    return [rows, sorted(zip(kept["ids"], kept["documents"] or [], strict=True)), links, stores.redis.get(key)]


def test_a_document_is_in_every_store_once(stores: Stores, ingestion: Ingestion, product: str) -> None:
    """Sent again it changes nothing."""
    document = written(product, secrets.token_hex(4))
    first = ingestion.ingest(document)
    assert first["complete"], first
    before = state(stores, product)
    assert ingestion.ingest(document)["complete"]
    assert state(stores, product) == before
    rows, passages, links, cached = before
    assert rows == [(product, f"nordwind-{product}", 1290.5)]
    assert len(list(passages)) == 2
    assert links == [("IN_CATEGORY", f"Heating {product}"), ("SUPPLIED_BY", f"Nordwind {product}")]
    assert json.loads(str(cached)) == {"id": product, "name": PRODUCT, "price": 1290.5, "stock": 7}


def test_a_changed_document_replaces_the_old_one(stores: Stores, ingestion: Ingestion, product: str) -> None:
    """No link and no passage of the old one is left."""
    long = written(product, "old") + "\n\nIt is green."
    assert ingestion.ingest(long)["complete"]
    assert ingestion.ingest(written(product, "new", supplier="Halden"))["complete"]
    rows, passages, links, _ = state(stores, product)
    assert rows == [(product, f"halden-{product}", 1290.5)]
    assert [text for _, text in passages][1:] == [f"The service code of the {PRODUCT} is new."]
    assert ("SUPPLIED_BY", f"Halden {product}") in links
    assert len(links) == 2


def test_what_is_no_document_leaves_no_trace(stores: Stores, ingestion: Ingestion, product: str) -> None:
    """It is refused before anything is stored."""
    with pytest.raises(DocumentError):
        ingestion.ingest(written(product, "x").replace("1290.50", "free"))
    assert state(stores, product) == [[], [], [], None]


def test_an_answer_comes_from_the_stores(stores: Stores, ingestion: Ingestion, product: str) -> None:
    """The value is drawn here, so no model knows it; an empty cache is filled from PostgreSQL."""
    if not stores.settings.has_ai:
        pytest.skip("the stack has no AI service")
    if _has_collection(stores):  # other tests have stored products of this name
        stores.chromadb.delete_collection(stores.settings.collection())
    code = secrets.token_hex(4)
    assert ingestion.ingest(written(product, code))["complete"]
    stores.redis.delete(stores.settings.key("product", product))
    said = ingestion.ask(f"What is the service code of the {PRODUCT}?")
    assert code in said["answer"], said
    assert said["product_id"] == product
    assert said["cache"] == "miss"
    assert steps.cached(stores, product)


def _has_collection(stores: Stores) -> bool:
    return stores.settings.collection() in [each.name for each in stores.chromadb.list_collections()]
