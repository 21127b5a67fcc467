# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Tools for agents: an MCP server that answers from the application's stores.

`python -m catalogue.tools --port N` serves streamable HTTP at /mcp and WebSocket at /ws, on loopback alone: neither
asks for a login. Port 0 takes a free one; the first line on standard output names it.
"""

from __future__ import annotations

import argparse
import asyncio
import socket
import sys
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from catalogue.settings import Settings, SettingsError
from catalogue.stores import Stores

HOST = "127.0.0.1"
NEAREST = 3
#: How long an agent waits for a store.
SECONDS = 5.0
_PRODUCT = "SELECT id, name, stock, price FROM product_catalogs"


class NotFoundError(LookupError):
    """There is no such product. The agent reads this sentence."""


class AwayError(RuntimeError):
    """A store gives no answer. A driver's own words can name addresses and accounts, so they are not repeated."""


def _asking(service: str, ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except SettingsError:
        raise
    except Exception as error:  # drivers share no base class
        raise AwayError(f"{service} gives no answer ({type(error).__name__})") from error


class Catalogue:
    """What the tools answer."""

    def __init__(self, stores: Stores) -> None:
        self.stores = stores

    def _rows(self, where: str, *values: Any) -> list[tuple[Any, ...]]:
        def ask() -> list[tuple[Any, ...]]:
            with self.stores.postgresql.cursor() as cursor:
                cursor.execute(f"{_PRODUCT} {where}", values)
                return list(cursor.fetchall())

        rows: list[tuple[Any, ...]] = _asking("PostgreSQL", ask)
        return rows

    def _product(self, name: str) -> tuple[Any, ...]:
        rows = self._rows("WHERE lower(name) = lower(%s)", name.strip())
        if not rows:
            raise NotFoundError(f"there is no product named {name!r}")
        return rows[0]

    def products(self) -> dict[str, Any]:
        """Return the names of all products."""
        return {"products": [row[1] for row in self._rows("WHERE available ORDER BY name LIMIT 200")]}

    def price(self, product: str) -> dict[str, Any]:
        """Return what a product costs."""
        _, name, _, price = self._product(product)
        return {"product": name, "price": f"{price:.2f}", "unit": "EUR"}

    def stock(self, product: str) -> dict[str, Any]:
        """Return how many pieces of a product there are."""
        _, name, stock, _ = self._product(product)
        return {"product": name, "stock": int(stock), "unit": "pieces"}

    def company(self, product: str) -> dict[str, Any]:
        """Return the company that supplies a product."""
        label = self.stores.settings.label
        query = (
            f"MATCH (p:`{label}` {{kind: 'product'}})-[:SUPPLIED_BY]->(s) "
            "WHERE toLower(p.name) = toLower($name) RETURN p.name AS product, s.name AS company"
        )
        records = _asking("Neo4j", lambda: self.stores.neo4j.execute_query(query, name=product.strip()).records)
        if not records:
            raise NotFoundError(f"there is no product named {product!r} with a supplier")
        return {"product": records[0]["product"], "company": records[0]["company"]}

    def similar(self, product: str) -> dict[str, Any]:
        """Return the products whose descriptions are most like that of a product."""
        key, name, _, _ = self._product(product)
        nearest = _asking("ChromaDB", lambda: self._nearest(str(key)))
        names = {row[0]: row[1] for row in self._rows("WHERE id = ANY(%s)", nearest)}
        return {"product": name, "similar": [names[each] for each in nearest if each in names]}

    def _nearest(self, key: str) -> list[str]:
        collection = self.stores.collection()
        own = collection.get(where={"product_id": key}, include=["embeddings"])["embeddings"]
        if own is None or not len(own):
            return []
        vector: Any = [float(number) for number in own[0]]
        other: Any = {"product_id": {"$ne": key}}
        found = collection.query(query_embeddings=[vector], n_results=4 * NEAREST, where=other)["metadatas"]
        return list(dict.fromkeys(str(place["product_id"]) for place in (found or [[]])[0]))[:NEAREST]


@dataclass(frozen=True)
class Tool:
    """A tool as agents see it: for a model that knows no tools, questions that it answers are the best description."""

    name: str
    says: str
    questions: tuple[str, ...] = ()


TOOLS = (
    Tool("products", "The names of all products in the catalogue."),
    Tool("price", "What a product costs.", ("What is the price of the {product}?", "How much is the {product}?")),
    Tool(
        "stock",
        "How many pieces of a product there are.",
        ("How many of the {product} are in stock?", "How many pieces of the {product} are left?"),
    ),
    Tool(
        "company",
        "The company that supplies a product.",
        ("Which company delivers the {product}?", "Who makes the {product}?"),
    ),
    Tool(
        "similar",
        "Other products that are like a product.",
        ("What is similar to the {product}?", "Which other product is like the {product}?"),
    ),
)


def build(stores: Stores) -> Any:
    """Return the MCP server. Stores are asked in threads: one that is away keeps no other question waiting."""
    from mcp.server.fastmcp import FastMCP

    server, catalogue = FastMCP("catalogue", host=HOST, log_level="ERROR"), Catalogue(stores)

    async def products() -> dict[str, Any]:
        return await asyncio.to_thread(catalogue.products)

    def of_product(answer: Callable[[str], dict[str, Any]]) -> Callable[[str], Any]:
        async def ask(product: str) -> dict[str, Any]:
            return await asyncio.to_thread(answer, product)

        return ask

    for tool in TOOLS:
        function = products if tool.name == "products" else of_product(getattr(catalogue, tool.name))
        meta = {"questions": list(tool.questions)} if tool.questions else None
        server.add_tool(function, name=tool.name, description=tool.says, meta=meta)
    return server


def application(server: Any) -> Any:
    """Return the ASGI application with both transports."""
    from mcp.server.transport_security import TransportSecuritySettings
    from starlette.routing import WebSocketRoute

    with warnings.catch_warnings():
        # WebSocket was never in MCP's specification and is gone from mcp 2.0: a new client takes streamable HTTP.
        warnings.simplefilter("ignore", DeprecationWarning)
        from mcp.server.websocket import websocket_server

    hosts = [f"{HOST}:*"]  # a page in a browser sends its Origin, and none is allowed
    security = TransportSecuritySettings(enable_dns_rebinding_protection=True, allowed_hosts=hosts, allowed_origins=[])

    class WebSocketApp:
        async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
            try:
                with warnings.catch_warnings():
                    warnings.simplefilter("ignore", DeprecationWarning)
                    connection = websocket_server(scope, receive, send, security)
                async with connection as (reading, writing):
                    low = server._mcp_server  # FastMCP has no method for this transport
                    await low.run(reading, writing, low.create_initialization_options())
            except ValueError:  # the handshake was refused, and the client knows
                return

    app = server.streamable_http_app()
    app.router.routes.append(WebSocketRoute("/ws", WebSocketApp()))
    return app


def main(words: list[str] | None = None) -> int:
    """Serve until a signal."""
    import uvicorn

    parser = argparse.ArgumentParser(prog="python -m catalogue.tools", description=__doc__)
    parser.add_argument("--port", type=int, default=0, help="on loopback; 0 takes a free one")
    port = parser.parse_args(words).port
    try:
        settings = Settings.from_environment(strict=False)
        listening = socket.create_server((HOST, port))
    except (SettingsError, OSError, OverflowError) as error:
        sys.stderr.write(f"{error}\n")
        return 1
    with listening, Stores(settings, timeout=SECONDS) as stores:
        config = uvicorn.Config(application(build(stores)), log_level="error", ws="websockets-sansio")
        sys.stdout.write(f"listening on {HOST}:{listening.getsockname()[1]}\n")
        sys.stdout.flush()
        uvicorn.Server(config).run(sockets=[listening])
    return 0


if __name__ == "__main__":
    sys.exit(main())
