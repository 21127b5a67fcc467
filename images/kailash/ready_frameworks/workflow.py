# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""End to end: documents enter through Nexus and lie in four stores; questions are answered from what these return.

The values that answers must hold are drawn here. One worker takes the documents and ends, another one answers: then the
values are in the stores alone. Each store is looked into by a connection that no worker has.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ready_frameworks.context import FAIL, MORE_TIME, PASS, UNKNOWN, Context, finding, part, worst
from ready_frameworks.nexus_server import ServerError, Worker

if TYPE_CHECKING:
    from catalogue.stores import Stores

SERVICES = {
    "postgresql": "PostgreSQL",
    "ai": "the AI service",
    "chromadb": "ChromaDB",
    "neo4j": "Neo4j",
    "redis": "Redis",
}
#: What a document's steps are called in the evidence, by the service that they need.
STEPS = {"postgresql": "stored", "ai": "embedded", "chromadb": "indexed", "neo4j": "linked", "redis": "cached"}
_VERDICTS = {"done": PASS, "failed": FAIL, "skipped": UNKNOWN}
#: Seconds for an answer of the workers: a model on a busy host is slow. And what must be left to begin a step.
_ANSWER, _RESERVE = 75.0, 5.0
#: What a question may take, of an endpoint elsewhere.
ESTIMATE = 700
#: Characters of an error that are shown: the next step must find room behind them.
_SHOWN = 110
_CHECK = "Next: ./ready check, and bring it back"


class CallError(Exception):
    """A worker gave no result."""


@dataclass(frozen=True)
class Product:
    """A product of this run, with the values that are drawn for it."""

    id: str
    name: str
    category: str
    price: float
    purpose: str
    code: str = field(default_factory=lambda: secrets.token_hex(4))
    number: int = field(default_factory=lambda: 1000 + secrets.randbelow(9000))

    @property
    def supplier(self) -> str:
        """A supplier's name that nobody else has."""
        return f"Nordwind {self.number}"

    @property
    def passages(self) -> list[str]:
        """The text, by paragraph."""
        return [f"The {self.name} {self.purpose}.", f"The service code of the {self.name} is {self.code}."]

    @property
    def document(self) -> str:
        """The content of the file that enters."""
        head = f"Product: {self.name}\nId: {self.id}\nCategory: {self.category}\nSupplier: {self.supplier}\n"
        return head + f"Price: {self.price:.2f}\nStock: {self.number}\n\n" + "\n\n".join(self.passages) + "\n"

    @property
    def ids(self) -> dict[str, str]:
        """The ids of its rows, by table."""
        return {
            "product_catalogs": self.id,
            "document_files": f"{self.id}-document",
            "suppliers": self.supplier.lower().replace(" ", "-"),
            "product_categories": self.category.lower().replace(" ", "-"),
        }


def products(word: str) -> tuple[Product, Product]:
    """Return two products: an answer about one must not come from the other."""
    plain = "".join(letter for letter in word.lower() if letter.isascii() and letter.isalnum())[:16]
    tag = f"{plain}{secrets.token_hex(4)}"
    one = Product(f"heat-pump-{tag}", "Heat Pump HP-12", f"Heating {tag}", 1290.5, "warms a house with outside air")
    two = Product(f"filter-{tag}", "Water Filter WF-30", f"Water {tag}", 89.25, "cleans drinking water at the tap")
    return (one, two) if one.number != two.number else products(word)


# what is in each store: of one product, by connections of the checker's ----------------------------------------------


def rows(stores: Stores, product: Product) -> list[Any]:
    """Return the product's rows: every value that the document gave."""
    with stores.postgresql.cursor() as cursor:
        cursor.execute(
            "SELECT p.name, p.price::text, p.stock, s.name, c.name, f.content FROM product_catalogs p "
            "JOIN suppliers s ON s.id = p.supplier_id JOIN product_categories c ON c.id = p.category_id "
            "JOIN document_files f ON f.product_id = p.id WHERE p.id = %s",
            [product.id],
        )
        return [list(row) for row in cursor.fetchall()]


def passages(stores: Stores, product: Product) -> list[Any]:
    """Return the product's passages with the dimensions of their vectors."""
    kept = stores.collection().get(where={"product_id": product.id}, include=["documents", "embeddings"])
    vectors, documents = kept["embeddings"], kept["documents"]
    if vectors is None or documents is None:
        return []
    return sorted([text, len(vector)] for text, vector in zip(documents, vectors, strict=True))


def links(stores: Stores, product: Product) -> list[Any]:
    """Return what the product is linked with."""
    found = stores.neo4j.execute_query(
        f"MATCH (:`{stores.settings.label}` {{key: $key}})-[r]->(o) RETURN type(r) AS t, o.name AS n ORDER BY t, n",
        key=f"product:{product.id}",
    )
    return [[record["t"], record["n"]] for record in found.records]


def cached(stores: Stores, product: Product) -> list[Any]:
    """Return what the cache has of the product."""
    kept = stores.redis.get(stores.settings.key("product", product.id))
    return [json.loads(str(kept))] if kept else []


LOOKS: dict[str, Callable[[Stores, Product], list[Any]]] = {
    "postgresql": rows,
    "chromadb": passages,
    "neo4j": links,
    "redis": cached,
}


def expected(service: str, product: Product, found: list[Any]) -> list[Any]:
    """Return what must be in a store; vectors have the dimensions of the model, whatever these are."""
    price, text = product.price, "\n\n".join(product.passages)
    if service == "postgresql":
        return [[product.name, f"{price:g}", product.number, product.supplier, product.category, text]]
    if service == "chromadb":
        size = found[0][1] if found and found[0][1] > 1 else "a vector"
        return sorted([each, size] for each in product.passages)
    if service == "neo4j":
        return [["IN_CATEGORY", product.category], ["SUPPLIED_BY", product.supplier]]
    return [{"id": product.id, "name": product.name, "price": price, "stock": product.number}]


class Part:
    """One run of the part."""

    def __init__(self, context: Context, stores: Stores) -> None:
        self.context = context
        self.stores = stores
        self.products = products(context.word)
        self.findings: list[dict[str, Any]] = []
        self.steps: list[dict[str, Any]] = []
        self.tokens = 0

    def note(self, name: str, verdict: str, detail: str = "", **figures: Any) -> None:
        """Keep a finding."""
        text = self.context.clean(detail) if verdict != PASS else ""
        self.findings.append(finding(f"workflow.{name}", verdict, text, **figures))
        self.context.say(f"workflow.{name}: {verdict}{f' ({text})' if text else ''}")

    def call(self, worker: Worker, name: str, value: Mapping[str, str]) -> dict[str, Any]:
        """Call a handler through the API of Nexus. Raises CallError if there is no result."""
        import httpx

        if self.context.left < _RESERVE:
            raise CallError(f"found no time left; expected the run to have some. {MORE_TIME}")
        address = f"http://127.0.0.1:{worker.ports[0]}/workflows/{name}/execute"
        mark = worker.mark()
        try:
            with httpx.Client(trust_env=False, timeout=min(_ANSWER, self.context.left)) as client:
                answer = client.post(address, json={"inputs": dict(value)})
        except httpx.HTTPError as error:
            raise CallError(f"{name}: found {type(error).__name__}; expected an answer of Nexus. {_CHECK}") from error
        try:
            (output,) = answer.json()["outputs"].values()
            return dict(output["result"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            found = f"status {answer.status_code} ({worker.said(mark)})"
            raise CallError(f"{name}: found {found}; expected a result. Next: read the log of the server") from error

    # documents ----------------------------------------------------------------------------------------------------

    def documents(self, worker: Worker) -> None:
        """Send the documents twice; look into the stores after each time."""
        first = [self.call(worker, "product_ingest", {"document": each.document}) for each in self.products]
        self.steps += condensed(first[0]["steps"])
        failed = {service: errors(first, service) for service in SERVICES}
        before = {service: self.look(service) for service in LOOKS}
        for service, title in SERVICES.items():
            self.judge(service, title, failed, before.get(service))
        again = [self.call(worker, "product_ingest", {"document": each.document}) for each in self.products]
        self.idempotent(before, again)

    def look(self, service: str) -> list[list[Any]] | str:
        """Return what a store has of each product, or why that is not known."""
        try:
            return [LOOKS[service](self.stores, each) for each in self.products]
        except Exception as error:  # drivers share no base class
            return f"{type(error).__name__}: {error}"[:_SHOWN]

    def judge(
        self, service: str, title: str, failed: Mapping[str, tuple[str, str]], found: list[list[Any]] | str | None
    ) -> None:
        """Compare what a service has with the documents; what it could not get for want of another is not known."""
        verdict, error = failed[service]
        if verdict != PASS:
            self.note(service, verdict, f"{title}: found {error}; expected the document's step to be done. {_CHECK}")
        elif isinstance(found, str):
            self.note(service, FAIL, f"{title}: found {found}; expected it to show what was written. {_CHECK}")
        elif found is not None and (wrong := self.wrong(service, found)):
            self.note(service, FAIL, f"{title}: {wrong}. Next: read catalogue/ingest.py")
        else:
            self.note(service, PASS)

    def wrong(self, service: str, found: list[list[Any]]) -> str:
        """Say what differs from the documents."""
        for product, its in zip(self.products, found, strict=True):
            if its != (wanted := expected(service, product, its)):
                return f"found {str(its)[:100]} of {product.id}; expected {str(wanted)[:100]}"
        return ""

    def idempotent(self, before: Mapping[str, Any], again: list[dict[str, Any]]) -> None:
        """Compare each store with what it had after the first time."""
        doubled, unknown = [], []
        for service, title in SERVICES.items():
            if service not in LOOKS:
                continue
            after = self.look(service)
            if isinstance(before[service], str) or isinstance(after, str) or errors(again, service)[0] != PASS:
                unknown.append(title)
            elif after != before[service]:
                doubled.append(f"{title} with {str(after)[:80]}")
        if doubled:
            text = f"found {'; '.join(doubled)} after the documents came again; expected no change"
            self.note("idempotent", FAIL, f"{text}. Next: read catalogue/steps.py")
        elif unknown:
            text = f"found nothing to compare in {', '.join(unknown)}; expected the documents. {_CHECK}"
            self.note("idempotent", UNKNOWN, text)
        else:
            self.note("idempotent", PASS)

    # questions ----------------------------------------------------------------------------------------------------

    def questions(self, worker: Worker) -> None:
        """Ask for a value of the document and for one of the graph; the cache is emptied in between."""
        pump, other = self.products
        self.question(worker, "document", f"What is the service code of the {pump.name}?", pump.code, other.code)
        self.stores.redis.delete(self.stores.settings.key("product", pump.id))
        self.question(worker, "graph", f"Who supplies the {pump.name}?", pump.supplier, other.supplier, cache="miss")

    def question(self, worker: Worker, name: str, question: str, value: str, other: str, cache: str = "hit") -> None:
        """Ask once: the answer is what the model said, and holds the value."""
        left = self.context.tokens - self.tokens
        if self.context.settings.get("READY_AI_BACKEND") != "local" and left < ESTIMATE:
            text = f"found {left} tokens left of the run's limit; expected {ESTIMATE}. Next: --tokens with more"
            self.note(f"answer.{name}", UNKNOWN, text)
            return
        began = time.monotonic()
        try:
            said = self.call(worker, "catalogue_ask", {"question": question})
        except CallError as error:
            self.note(f"answer.{name}", FAIL, str(error))
            return
        ms, tokens, answer = round((time.monotonic() - began) * 1000, 1), int(said["tokens"]), str(said["answer"])
        self.tokens += tokens
        right = value in answer and other not in answer and value not in question and tokens > 0
        good = right and said["product_id"] == self.products[0].id and said["cache"] == cache
        verdict = PASS if good else FAIL
        looked = sum(step["ms"] for step in said["steps"][:-1])
        self.steps.append({"step": f"{name}_looked_up", "ms": round(looked, 1), "verdict": PASS})
        self.steps.append({"step": f"{name}_answered", "ms": said["steps"][-1]["ms"], "verdict": verdict})
        found = f"{answer[:80]!r} (cache {said['cache']}, product {said['product_id'] or 'none'})"
        wanted = f"{value} from {self.products[0].id}, with the cache's {cache}"
        detail = f"{question} found {found}; expected {wanted}. Next: try a larger model: OPENAI_MODEL"
        self.note(f"answer.{name}", verdict, detail, ms=ms, tokens=tokens)

    # removal ------------------------------------------------------------------------------------------------------

    def remove(self) -> None:
        """Remove what the documents left, and look for it again; a store that is away doesn't spare the others."""
        left, unknown = [], []
        for service, step in {"postgresql": drop_rows, "chromadb": drop, "neo4j": unlink, "redis": forget}.items():
            try:
                for product in self.products:
                    step(self.stores, product)
                if any(LOOKS[service](self.stores, product) for product in self.products):
                    left.append(SERVICES[service])
            except Exception:  # drivers share no base class
                unknown.append(SERVICES[service])
        if left:
            self.note("removed", FAIL, f"found documents in {', '.join(left)}; expected none. Next: remove the prefix")
        elif unknown:
            self.note("removed", UNKNOWN, f"found no answer of {', '.join(unknown)}; expected one. {_CHECK}")
        else:
            self.note("removed", PASS)


def condensed(steps: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what a document's steps took, a line for each service."""
    made = []
    for service, name in STEPS.items():
        its = [step for step in steps if step["service"] == service]
        verdict = worst(_VERDICTS.get(step["verdict"], FAIL) for step in its)
        made.append({"step": name, "ms": round(sum(step["ms"] for step in its), 1), "verdict": verdict})
    return made


def errors(results: list[dict[str, Any]], service: str) -> tuple[str, str]:
    """Return the verdict of a service's steps, and the first one that was not done."""
    steps = [step for result in results for step in result["steps"] if step["service"] == service]
    bad = [step for step in steps if step["verdict"] != "done"]
    verdict = worst(_VERDICTS.get(step["verdict"], FAIL) for step in steps)
    return verdict, f"{bad[0]['step']} {bad[0]['verdict']}: {bad[0]['error'][:_SHOWN]}" if bad else "no step"


def drop_rows(stores: Stores, product: Product) -> None:
    """Delete the product's rows."""
    with stores.postgresql.cursor() as cursor:
        for table, identity in product.ids.items():
            cursor.execute(f"DELETE FROM {table} WHERE id = %s", [identity])  # noqa: S608 - a table of ours


def drop(stores: Stores, product: Product) -> None:
    """Delete the product's passages."""
    stores.collection().delete(where={"product_id": product.id})


def unlink(stores: Stores, product: Product) -> None:
    """Delete the product's nodes."""
    ids = product.ids
    keys = [f"product:{product.id}", f"supplier:{ids['suppliers']}", f"category:{ids['product_categories']}"]
    label = stores.settings.label
    stores.neo4j.execute_query(f"MATCH (n:`{label}`) WHERE n.key IN $keys DETACH DELETE n", keys=keys)


def forget(stores: Stores, product: Product) -> None:
    """Delete what the cache has of the product."""
    stores.redis.delete(stores.settings.key("product", product.id))


def run(context: Context) -> dict[str, Any]:
    """Return the part's result."""
    from catalogue.settings import Settings
    from catalogue.stores import Stores

    values = dict(context.settings) | {"CATALOGUE_PREFIX": context.prefix}
    settings = Settings.from_environment(values, strict=False)
    if not settings.has_ai:
        text = "workflow: found no AI service; expected one. Next: ready_ai_backend: local, and ./ready up"
        return part([finding("workflow.ai", UNKNOWN, text)], steps=[], idempotent=UNKNOWN)
    with Stores(settings, timeout=8) as stores:
        its = Part(context, stores)
        try:
            _through(its, values)
        except (ServerError, CallError) as error:
            its.note("nexus", FAIL, str(error))
        except Exception as error:  # a driver's, in the middle: the store ended while it was asked
            its.note("stores", FAIL, f"found {type(error).__name__}: {error}; expected none. {_CHECK}")
        finally:
            its.remove()
    idempotent = worst(item["verdict"] for item in its.findings if item["id"] == "workflow.idempotent")
    return part(its.findings, steps=its.steps, idempotent=idempotent)


def _through(its: Part, values: Mapping[str, str]) -> None:
    with Worker(values, its.context.prefix, its.context.clean) as worker:
        its.documents(worker)
    if any(item["verdict"] != PASS for item in its.findings):
        its.note("answer", UNKNOWN, "found a service that failed before; expected all five to ask by. " + _CHECK)
        return
    with Worker(values, its.context.prefix, its.context.clean) as worker:
        its.questions(worker)
