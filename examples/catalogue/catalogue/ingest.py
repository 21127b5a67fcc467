# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The production workflow: a product document goes into all stores, and questions are answered from them.

Every step writes by the product's id, so a document that is sent again changes nothing, and one that was stored in part
is completed. A step whose service is away fails alone; the others are done.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from typing import Any

from catalogue import steps
from catalogue.documents import checked_question, read_document
from catalogue.settings import SettingsError
from catalogue.stores import Stores

DONE, FAILED, SKIPPED = "done", "failed", "skipped"
#: Nodes that DataFlow generates, by the name that they have in the workflow.
ROWS = {
    "category": "ProductCategoryUpsertNode",
    "supplier": "SupplierUpsertNode",
    "product": "ProductCatalogUpsertNode",
    "file": "DocumentFileUpsertNode",
}
#: Node -> the service that it needs, in the order in which the steps are shown.
SERVICES = {
    "document": "",
    **dict.fromkeys(ROWS, "postgresql"),
    "vectors": "ai",
    "passages": "chromadb",
    "links": "neo4j",
    "cache": "redis",
}


def workflow(*, rows: bool = True) -> Any:
    """Return the workflow; its only parameter is the document's text. Without rows it leaves PostgreSQL out."""
    from kailash.workflow.builder import WorkflowBuilder

    builder = WorkflowBuilder()
    builder.add_node("CatalogueDocumentNode", "document", {})
    for name, kind in ROWS.items() if rows else ():
        builder.add_node(kind, name, {})
        for part in ("where", "create", "update"):
            builder.add_connection("document", f"{name}.{part}", name, part)
    builder.add_node("CatalogueEmbedNode", "vectors", {})
    builder.add_connection("document", "passages", "vectors", "passages")
    builder.add_node("CataloguePassagesNode", "passages", {})
    builder.add_connection("document", "id", "passages", "product")
    builder.add_connection("document", "passages", "passages", "passages")
    builder.add_connection("vectors", "vectors", "passages", "vectors")
    builder.add_node("CatalogueLinkNode", "links", {})
    builder.add_connection("document", "links", "links", "links")
    builder.add_node("CatalogueCacheNode", "cache", {})
    builder.add_connection("document", "short", "cache", "short")
    return builder.build()


class Ingestion:
    """Takes documents and answers questions, by one set of connections.

    Workflows run one after another in one thread: DataFlow's pool belongs to the loop of the runtime that
    used it first. A model that thinks keeps nobody waiting: it is asked in the caller's thread.

    Args:
        stores: the connections.
        database: gives DataFlow with the models; the stores' own one unless given.
    """

    def __init__(self, stores: Stores, database: Callable[[], Any] | None = None) -> None:
        self.stores = stores
        self._database = database or (lambda: stores.dataflow)
        self._thread = ThreadPoolExecutor(max_workers=1, thread_name_prefix="ingestion")
        self._runtime: Any = None
        self._opened = ExitStack()

    def ingest(self, document: str) -> dict[str, Any]:
        """Store a document; return its steps, and whether every one was done."""
        product = read_document(document)  # one that can't be used is refused before anything is stored
        return {"product_id": product.id, **self._thread.submit(self._ingest, document).result()}

    def ask(self, question: str) -> dict[str, Any]:
        """Answer a question from what the stores return."""
        return self._ask(checked_question(question))

    def execute(self, built: Any, parameters: dict[str, Any]) -> dict[str, Any]:
        """Run another workflow of DataFlow's nodes where these run; return what each node gave."""
        results, _ = self._thread.submit(self._execute, built, parameters).result()
        return results

    def close(self) -> None:
        """End the thread and its runtime. The connections belong to who made them."""
        self._thread.submit(self._opened.close).result()
        self._thread.shutdown()

    def _execute(self, built: Any, parameters: dict[str, Any]) -> tuple[dict[str, Any], dict[str, float]]:
        """Return what each node gave, and the milliseconds that it took."""
        from kailash.runtime.local import LocalRuntime
        from kailash.tracking import TaskManager
        from kailash.tracking.storage.deferred import DeferredStorageBackend

        if self._runtime is None:
            self._runtime = self._opened.enter_context(LocalRuntime())
        tasks = TaskManager(storage_backend=DeferredStorageBackend())  # the usual one writes files for each node
        results, run = self._runtime.execute(built, parameters=parameters, task_manager=tasks)
        return results, {task.node_id: _milliseconds(task) for task in tasks.get_run_tasks(run)}

    def _ingest(self, document: str) -> dict[str, Any]:
        from catalogue import nodes

        nodes.use(self.stores)
        began = time.perf_counter()
        away = self._away()
        waited = (time.perf_counter() - began) * 1000
        results, taken = self._execute(workflow(rows=not away), {"document": {"document": document}})
        found = []
        for name, service in SERVICES.items():
            verdict, error = (FAILED, away) if away and name in ROWS else judge(name, results)
            spent = waited if away and name == "category" else taken.get(name, 0.0)
            found.append({"step": name, "service": service, "verdict": verdict, "ms": round(spent, 1), "error": error})
        return {"complete": all(step["verdict"] == DONE for step in found), "steps": found}

    def _away(self) -> str:
        """Return why PostgreSQL can't be used, or nothing. DataFlow waits long for a server that is away."""
        try:
            with self.stores.postgresql.cursor() as cursor:
                cursor.execute("SELECT 1")
            self._database()
        except Exception as error:  # whatever a driver raises
            return _one_line(error)
        return ""

    def _ask(self, question: str) -> dict[str, Any]:
        found: list[dict[str, Any]] = []

        def step(name: str, service: str, do: Callable[[], Any]) -> Any:
            began = time.perf_counter()
            try:
                return do()
            except SettingsError:
                raise
            except Exception as error:  # whatever a driver raises
                raise QuestionError(f"{name}: found {_one_line(error)}; expected {service} to answer") from error
            finally:
                spent = round((time.perf_counter() - began) * 1000, 1)
                found.append({"step": name, "service": service, "ms": spent})

        vector = step("question", "ai", lambda: steps.embed(self.stores, [question])[0])
        passages = step("nearest", "chromadb", lambda: steps.nearest(self.stores, vector))
        if not passages:
            return {"answer": "", "product_id": "", "cache": "", "known": [], "steps": found, "tokens": 0}
        identity = passages[0]["product_id"]
        product, hit = step("cache", "redis", lambda: steps.cached(self.stores, identity)), "hit"
        if product is None:
            hit, product = "miss", step("row", "postgresql", lambda: self._thread.submit(self._row, identity).result())
            step("cache", "redis", lambda: steps.cache(self.stores, product))
        others = step("links", "neo4j", lambda: steps.related(self.stores, identity))
        known = steps.facts(product, others, [each["text"] for each in passages])
        said = step("answer", "ai", lambda: steps.answer(self.stores, question, known))
        return {**said, "product_id": identity, "cache": hit, "known": known, "steps": found}

    def _row(self, product: str) -> dict[str, Any]:
        """Return a product from PostgreSQL, through DataFlow."""
        from kailash.workflow.builder import WorkflowBuilder

        if away := self._away():
            raise QuestionError(away)
        builder = WorkflowBuilder()
        builder.add_node("ProductCatalogReadNode", "row", {"id": product})
        results, _ = self._execute(builder.build(), {})
        row = results["row"]
        if row.get("failed") or row.get("id") != product:
            raise QuestionError(f"found no product {product}: {_one_line(row.get('error', 'no row'))}")
        return dict(row)


class QuestionError(RuntimeError):
    """A question can't be answered: a service that it needs is away, or lacks what another one has."""


def judge(name: str, results: dict[str, Any]) -> tuple[str, str]:
    """Return what became of a node and why: a failure may come as data, and so may a write that did nothing."""
    if name not in results:
        return SKIPPED, "the node did not run"
    result = results[name]
    if result.get("failed") or result.get("error") or result.get("failure"):
        said = str(result.get("failure") or result.get("error"))
        return FAILED, _one_line(said.removeprefix(f"Node '{name}' execution failed: "))
    if result.get("skipped"):
        return SKIPPED, "there are no vectors to store"
    if name in ROWS and not result.get("record"):
        return FAILED, "the database returned no row"
    return DONE, ""


def handlers(ingestion: Ingestion) -> dict[str, Callable[..., dict[str, Any]]]:
    """Return what Nexus is to register, by name. The CLI prints nothing but a dict named `result`."""

    def product_ingest(document: str) -> dict[str, Any]:
        """Store a product document in all stores."""
        return {"result": ingestion.ingest(document)}

    def catalogue_ask(question: str) -> dict[str, Any]:
        """Answer a question about a product from the stores."""
        return {"result": ingestion.ask(question)}

    return {"product_ingest": product_ingest, "catalogue_ask": catalogue_ask}


def _milliseconds(task: Any) -> float:
    if task.started_at and task.ended_at:
        return float((task.ended_at - task.started_at).total_seconds() * 1000)
    return 0.0


def _one_line(error: object) -> str:
    """Return an error in one line, not too long."""
    name = f"{type(error).__name__}: " if isinstance(error, BaseException) else ""
    return " ".join(f"{name}{error}".split())[:200]
