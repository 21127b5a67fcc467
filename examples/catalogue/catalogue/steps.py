# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the application does with each service, one function each. A service that is away fails in its own function."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from catalogue.stores import Stores

#: Seconds that a product stays in the cache, and passages that a question is answered from.
CACHED, NEAREST = 3600, 2
_SYSTEM = 'Answer the question from the facts. Reply as JSON: {"answer": "..."}'
#: An example: a small model keeps to it. It has nothing of any product in the catalogue.
_EXAMPLE = (
    "Facts:\nThe Garden Shed is supplied by Miller Ltd.\nThe Garden Shed costs 300 euros.\n"
    "The order number of the Garden Shed is 5512.\n\nQuestion: What is the order number of the Garden Shed?",
    '{"answer": "The order number of the Garden Shed is 5512."}',
)
_FORM: dict[str, Any] = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "strict": True,
        "schema": {
            "type": "object",
            "properties": {"answer": {"type": "string"}},
            "required": ["answer"],
            "additionalProperties": False,
        },
    },
}


class AnswerError(RuntimeError):
    """A service answered something that can't be used."""


def embed(stores: Stores, texts: Sequence[str]) -> list[list[float]]:
    """Return a vector per text, made by the AI service."""
    answer = stores.openai.embeddings.create(model=stores.settings.openai_embedding_model, input=list(texts))
    vectors = [
        [float(number) for number in item.embedding] for item in sorted(answer.data, key=lambda item: item.index)
    ]
    if len(vectors) != len(texts):
        raise AnswerError(f"AI service: found {len(vectors)} vectors; expected {len(texts)}")
    return vectors


def store_passages(
    stores: Stores, product: str, passages: Sequence[str], vectors: Sequence[Sequence[float]]
) -> list[str]:
    """Store the passages of a product in ChromaDB in place of those that it had; return their ids."""
    collection = stores.collection()
    ids = [f"{product}:{number}" for number in range(len(passages))]
    places: list[Mapping[str, Any]] = [{"product_id": product, "number": number} for number in range(len(passages))]
    collection.upsert(ids=ids, embeddings=[*vectors], documents=list(passages), metadatas=places)
    kept = collection.get(where={"product_id": product}, include=[])["ids"]
    if stale := [each for each in kept if each not in ids]:
        collection.delete(ids=stale)
    return ids


def nearest(stores: Stores, vector: Sequence[float]) -> list[dict[str, Any]]:
    """Return the passages that are most like a vector, of one product: that of the most alike."""
    asked = stores.collection().query(query_embeddings=[vector], n_results=NEAREST * 2)
    documents, places, distances = asked["documents"], asked["metadatas"], asked["distances"]
    if not documents or not places or not distances:
        return []
    every = [
        {"product_id": str(place["product_id"]), "text": text, "distance": float(distance)}
        for text, place, distance in zip(documents[0], places[0], distances[0], strict=True)
    ]
    return [each for each in every if each["product_id"] == every[0]["product_id"]][:NEAREST]


def link(stores: Stores, product: Mapping[str, str]) -> None:
    """Link a product with its supplier and its category in Neo4j, in place of the links that it had."""
    label = stores.settings.label
    stores.neo4j.execute_query(
        f"CREATE CONSTRAINT {stores.settings.prefix}_key IF NOT EXISTS FOR (n:`{label}`) REQUIRE n.key IS UNIQUE"
    )
    stores.neo4j.execute_query(
        f"""
        MERGE (p:`{label}` {{key: 'product:' + $id}}) SET p.kind = 'product', p.name = $name
        MERGE (s:`{label}` {{key: 'supplier:' + $supplier_id}}) SET s.kind = 'supplier', s.name = $supplier
        MERGE (c:`{label}` {{key: 'category:' + $category_id}}) SET c.kind = 'category', c.name = $category
        WITH p, s, c
        OPTIONAL MATCH (p)-[old:SUPPLIED_BY|IN_CATEGORY]->(other) WHERE other <> s AND other <> c
        DELETE old
        WITH DISTINCT p, s, c
        MERGE (p)-[:SUPPLIED_BY]->(s)
        MERGE (p)-[:IN_CATEGORY]->(c)
        """,
        dict(product),
    )


def related(stores: Stores, product: str) -> dict[str, str]:
    """Return the names of a product's supplier and category, from Neo4j."""
    found = stores.neo4j.execute_query(
        f"MATCH (:`{stores.settings.label}` {{key: 'product:' + $id}})-[:SUPPLIED_BY|IN_CATEGORY]->(other) "
        "RETURN other.kind AS kind, other.name AS name",
        id=product,
    )
    return {str(record["kind"]): str(record["name"]) for record in found.records}


def cache(stores: Stores, product: Mapping[str, Any]) -> str:
    """Keep a product in Redis for an hour; return the key."""
    key = stores.settings.key("product", str(product["id"]))
    stores.redis.set(key, json.dumps({name: product[name] for name in ("id", "name", "price", "stock")}), ex=CACHED)
    return key


def cached(stores: Stores, product: str) -> dict[str, Any] | None:
    """Return a product from Redis, or nothing."""
    found = stores.redis.get(stores.settings.key("product", product))
    return dict(json.loads(str(found))) if found else None


def facts(product: Mapping[str, Any], others: Mapping[str, str], passages: Sequence[str]) -> list[str]:
    """Return what is known of a product, a sentence each: what a model is given, and nothing else."""
    name = product["name"]
    said = [f"{name} is supplied by {others['supplier']}."] if "supplier" in others else []
    said += [f"{name} belongs to the category {others['category']}."] if "category" in others else []
    said += [f"{name} costs {product['price']:.2f} euros.", f"{product['stock']} pieces of {name} are in stock."]
    return [*said, *passages]


def answer(stores: Stores, question: str, known: Sequence[str]) -> dict[str, Any]:
    """Return what the model answers from the facts, word by word, and the tokens that it took."""
    asked = "Facts:\n" + "\n".join(known) + f"\n\nQuestion: {question}"
    roles = zip(("system", "user", "assistant", "user"), (_SYSTEM, *_EXAMPLE, asked), strict=True)
    form: Any = _FORM
    messages: Any = [{"role": role, "content": content} for role, content in roles]
    said = stores.openai.chat.completions.create(
        model=stores.settings.openai_model, messages=messages, temperature=0, max_tokens=80, response_format=form
    )
    content = said.choices[0].message.content or ""
    try:
        text = json.loads(content)["answer"]
    except (ValueError, KeyError, TypeError) as error:
        raise AnswerError(f"AI service: found {content[:80]!r}; expected JSON with an answer") from error
    return {"answer": str(text), "tokens": said.usage.total_tokens if said.usage else 0}
