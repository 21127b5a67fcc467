# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The application's nodes: those that DataFlow doesn't generate. Each reads a document or writes to one service.

A node is made by its name, so it finds the application's connections here: `use(stores)` before a workflow runs.
"""

from __future__ import annotations

from typing import Any

from kailash.nodes.base import NodeParameter, register_node

from catalogue import steps
from catalogue.documents import LONGEST_DOCUMENT, LONGEST_LINE, LONGEST_PASSAGE, checked_id, checked_text, read_document
from catalogue.stores import Stores
from governed import GovernedNode, SafeParameter

#: The rules of text that is stored as data and never interpreted: drivers bind it, the model reads it.
DATA = ["document"]

_used: list[Stores] = []


def use(stores: Stores) -> None:
    """Say by which connections the nodes work."""
    _used[:] = [stores]


def _stores() -> Stores:
    if not _used:
        raise RuntimeError("nodes: found no connections; expected catalogue.nodes.use(stores) before the workflow runs")
    return _used[0]


def _passages(value: list[str]) -> list[str]:
    return [checked_text("passage", each, LONGEST_PASSAGE) for each in value]


@register_node()
class CatalogueDocumentNode(GovernedNode):
    """Reads a product document into rows of the models and passages."""

    def get_parameters(self) -> dict[str, NodeParameter]:
        """Take the document's text."""
        return {
            "document": SafeParameter(
                name="document",
                type=str,
                rules=DATA,
                longest=LONGEST_DOCUMENT,
                description="text of a product document",
            )
        }

    def run_governed(self, **kwargs: Any) -> dict[str, Any]:
        """Return what the nodes after this one need."""
        document = read_document(checked_text("document", kwargs["document"], LONGEST_DOCUMENT))
        upserts = {
            name: {"where": {"id": row["id"]}, "create": row, "update": {key: row[key] for key in row if key != "id"}}
            for name, row in document.rows().items()
        }
        links = {"id": document.id, "name": document.name, "supplier": document.supplier, "category": document.category}
        links |= {"supplier_id": document.supplier_id, "category_id": document.category_id}
        short = {"id": document.id, "name": document.name, "price": document.price, "stock": document.stock}
        return upserts | {"id": document.id, "passages": document.passages, "links": links, "short": short}


@register_node()
class CatalogueEmbedNode(GovernedNode):
    """Makes a vector of each passage, by the AI service.

    A failure is an output, not an exception: Kailash ends the whole workflow when a node fails that others wait for.
    PostgreSQL, Neo4j and Redis don't need the vectors.
    """

    def get_parameters(self) -> dict[str, NodeParameter]:
        """Take the passages."""
        return {"passages": SafeParameter(name="passages", type=list, rules=DATA, description="texts to embed")}

    def run_governed(self, **kwargs: Any) -> dict[str, Any]:
        """Return the vectors, or why there are none."""
        passages = _passages(kwargs["passages"])
        try:
            return {"vectors": steps.embed(_stores(), passages), "failure": ""}
        except Exception as error:  # whatever a client raises
            return {"vectors": [], "failure": f"{type(error).__name__}: {error}"}


@register_node()
class CataloguePassagesNode(GovernedNode):
    """Stores passages with their vectors in ChromaDB."""

    def get_parameters(self) -> dict[str, NodeParameter]:
        """Take the product's id, its passages and their vectors."""
        return {
            "product": SafeParameter(name="product", type=str, rules=["argument"], description="id of the product"),
            "passages": SafeParameter(name="passages", type=list, rules=DATA, description="texts to store"),
            "vectors": SafeParameter(name="vectors", type=list, rules=DATA, description="a vector per text"),
        }

    def run_governed(self, **kwargs: Any) -> dict[str, Any]:
        """Return the ids of the passages; without vectors, that nothing was stored."""
        product, passages = checked_id(kwargs["product"]), _passages(kwargs["passages"])
        if not kwargs["vectors"]:
            return {"ids": [], "skipped": True}
        return {"ids": steps.store_passages(_stores(), product, passages, kwargs["vectors"]), "skipped": False}


@register_node()
class CatalogueLinkNode(GovernedNode):
    """Links a product with its supplier and its category in Neo4j."""

    def get_parameters(self) -> dict[str, NodeParameter]:
        """Take ids and names."""
        return {"links": SafeParameter(name="links", type=dict, rules=DATA, description="ids and names to link")}

    def run_governed(self, **kwargs: Any) -> dict[str, Any]:
        """Return the product's id."""
        links = {name: checked_text(name, value, LONGEST_LINE) for name, value in kwargs["links"].items()}
        steps.link(_stores(), links)
        return {"linked": links["id"]}


@register_node()
class CatalogueCacheNode(GovernedNode):
    """Keeps a product in Redis."""

    def get_parameters(self) -> dict[str, NodeParameter]:
        """Take what is kept of a product."""
        return {"short": SafeParameter(name="short", type=dict, rules=DATA, description="id, name, price, stock")}

    def run_governed(self, **kwargs: Any) -> dict[str, Any]:
        """Return the key."""
        short = dict(kwargs["short"])
        checked_id(short["id"])
        checked_text("name", short["name"], LONGEST_LINE)
        return {"key": steps.cache(_stores(), short)}
