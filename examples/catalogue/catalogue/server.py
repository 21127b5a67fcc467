# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The catalogue's Nexus application: API, CLI and MCP on two ports of the loopback address.

    python -m catalogue.server --api-port 8100 --mcp-port 8101
    python -m nexus.cli --url http://127.0.0.1:8100 run price_quote --param quantity=3 --param unit_price=19.5

Nexus itself listens on every address of the machine and offers no setting for it. So this module serves both channels:
`start(blocking=False)` makes the API's application ready, and the MCP server is given its address before it runs.

Nexus has sessions in the memory of one process, which no channel reaches; those of `sessions.py` are in Redis, and
handlers give them to all three channels. What a handler returns for the CLI must be a dict named `result`: the CLI
prints nothing else. Nexus reads a handler's annotations, and makes text of each value whose type it doesn't know: so
a parameter is `dict`, not `dict[str, Any]`, and there is no `from __future__ import annotations` here.
"""

import argparse
import os
import secrets
import sys
import threading
from typing import Any

from catalogue.ingest import Ingestion, handlers
from catalogue.runs import Runs, text
from catalogue.sessions import Sessions
from catalogue.settings import Settings, SettingsError
from catalogue.stores import Stores

LOOPBACK = "127.0.0.1"
VAT_PERCENT = 19


def price_quote(quantity: int, unit_price: float) -> dict[str, Any]:
    """Return what a quantity of a product costs."""
    if not 1 <= quantity <= 100_000 or not unit_price >= 0:
        raise ValueError(f"found quantity {quantity} at {unit_price}; expected 1 to 100000, at no price below zero")
    cents = round(quantity * unit_price * 100)
    tax = (cents * VAT_PERCENT + 50) // 100  # half a cent counts as one; `round` would take the even neighbour
    return {"quantity": quantity, "net_cents": cents, "vat_cents": tax, "gross_cents": cents + tax}


def workflows() -> dict[str, Any]:
    """Return the workflows that need no store, by name."""
    from kailash.nodes.code.python import PythonCodeNode
    from kailash.workflow.builder import WorkflowBuilder

    builder = WorkflowBuilder()
    builder.add_node_instance(PythonCodeNode.from_function(price_quote, name="quote"), "quote")
    return {"price_quote": builder.build()}


class Catalogue:
    """What the handlers do, apart from Nexus. Connections are opened when they are used: no store is awaited."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.stores = Stores(settings)
        self.ingestion = Ingestion(self.stores)
        self.workflows = workflows()

    @property
    def sessions(self) -> Sessions:
        """The sessions, in Redis."""
        return Sessions(self.stores.redis, self.settings.prefix)

    @property
    def runs(self) -> Runs:
        """The results of runs, in Redis."""
        return Runs(self.stores.redis, self.settings.prefix)

    def rows(self, kind: str, values: dict[str, Any]) -> dict[str, Any]:
        """Run a node that DataFlow generated, where documents are stored: its pool belongs to the runtime there."""
        from kailash.workflow.builder import WorkflowBuilder

        with self.stores.postgresql.cursor() as cursor:
            cursor.execute("SELECT 1")  # DataFlow waits long for a server that is away
        assert self.stores.dataflow  # it makes nodes and tables
        builder = WorkflowBuilder()
        builder.add_node(kind, "row", values)
        outputs = self.ingestion.execute(builder.build(), {})
        checked(outputs)
        return dict(outputs["row"])

    def product_save(self, product_id: str, name: str, price: float) -> dict[str, Any]:
        """Write a product."""
        values = {"name": name, "price": price}
        create = {"id": product_id, "category_id": "", "supplier_id": "", "description": "", **values}
        self.rows("ProductCatalogUpsertNode", {"where": {"id": product_id}, "create": create, "update": values})
        return {"product_id": product_id}

    def product_lookup(self, product_id: str) -> dict[str, Any]:
        """Read a product."""
        found = self.rows("ProductCatalogReadNode", {"id": product_id})
        if found.get("id") != product_id:
            raise LookupError(f"found no product {product_id}")
        return {"product_id": product_id, "name": found["name"], "price": found["price"]}

    def workflow_run(self, workflow: str, values: dict[str, Any]) -> dict[str, str]:
        """Run a workflow and keep what it gives, by the id of the run."""
        if workflow not in self.workflows:
            raise LookupError(f"found no workflow {workflow}; expected one of {', '.join(sorted(self.workflows))}")
        run, outputs = execute(self.workflows[workflow], values)
        return self.runs.keep(run, workflow, outputs)

    def session_put(self, session_id: str, key: str, value: str, channel: str, seconds: int = 3600) -> dict[str, str]:
        """Write one value of a session, and return the session."""
        self.sessions.put(session_id, key, str(value), channel, int(seconds))
        return self.session_get(session_id)

    def session_get(self, session_id: str) -> dict[str, str]:
        """Return a session."""
        return {"session_id": session_id, "values": text(self.sessions.get(session_id))}

    def close(self) -> None:
        """Close every connection."""
        self.ingestion.close()
        self.stores.close()


def execute(workflow: Any, values: dict[str, Any]) -> tuple[str, dict[str, Any]]:
    """Run a workflow and return the id of the run and the outputs of its nodes; the values go to every node."""
    from kailash.runtime.local import LocalRuntime

    with LocalRuntime() as runtime:
        outputs, run = runtime.execute(workflow, parameters=dict.fromkeys(workflow.nodes, values))
    checked(outputs)
    return str(run), dict(outputs)


def checked(outputs: dict[str, Any]) -> None:
    """Refuse a failure. A node that fails doesn't end `runtime.execute`: its output says so, and is no result."""
    for node, output in outputs.items():
        if isinstance(output, dict) and (output.get("failed") or output.get("error")):
            reason = str(output.get("error", "")).partition("\n")[0]
            raise RuntimeError(f"node {node} failed: {reason}")


def build(catalogue: Catalogue, api_port: int, mcp_port: int) -> Any:
    """Return the Nexus application with its workflows and handlers; it listens nowhere yet."""
    from nexus import Nexus

    # Without a key Nexus can't seal secrets and says so as an error. This application seals none: a key of one start.
    os.environ.setdefault("KAILASH_ENCRYPTION_KEY", secrets.token_hex(32))
    app = Nexus(api_port=api_port, mcp_port=mcp_port, enable_auth=False, enable_durability=False, rate_limit=None)
    for name, workflow in catalogue.workflows.items():
        app.register(name, workflow)

    def product_save(product_id: str, name: str, price: float) -> dict[str, Any]:
        """Write a product."""
        return {"result": catalogue.product_save(product_id, name, price)}

    def product_lookup(product_id: str) -> dict[str, Any]:
        """Read a product by its id."""
        return {"result": catalogue.product_lookup(product_id)}

    def workflow_run(workflow: str, values: dict) -> dict[str, Any]:  # type: ignore[type-arg]
        """Run a workflow and keep its result by the id of the run."""
        return {"result": catalogue.workflow_run(workflow, values)}

    def run_result(run_id: str) -> dict[str, Any]:
        """Return what a run gave, by its id."""
        return {"result": catalogue.runs.get(run_id)}

    def session_put(session_id: str, key: str, value: str, channel: str, seconds: int = 3600) -> dict[str, Any]:
        """Write one value of a session."""
        return {"result": catalogue.session_put(session_id, key, value, channel, seconds)}

    def session_get(session_id: str) -> dict[str, Any]:
        """Read a session."""
        return {"result": catalogue.session_get(session_id)}

    own = (product_save, product_lookup, workflow_run, run_result, session_put, session_get)
    for name, handler in {**handlers(catalogue.ingestion), **{each.__name__: each for each in own}}.items():
        app.register_handler(name, handler, description=handler.__doc__)
    return app


def serve(app: Any, api_port: int, mcp_port: int) -> None:
    """Serve API and MCP on the loopback address until the process is ended; neither is served without the other."""
    import uvicorn

    server = app._mcp_server  # Nexus has no public name for it
    if server is None or not hasattr(server, "websocket_host"):
        raise RuntimeError("found no MCP server in Nexus; expected kailash-mcp installed")
    server.websocket_host, server.websocket_port = LOOPBACK, mcp_port

    def channel() -> None:
        try:
            server.run()
        except BaseException as error:
            sys.stderr.write(f"MCP channel ended: {error}\n")
        finally:
            sys.stderr.flush()
            os._exit(3)  # in a thread nothing else ends the process

    app.start(blocking=False)
    threading.Thread(target=channel, name="mcp", daemon=True).start()
    uvicorn.run(app.fastapi_app, host=LOOPBACK, port=api_port, log_level="warning", timeout_graceful_shutdown=3)


def main() -> int:
    """Serve until a signal comes."""
    parser = argparse.ArgumentParser(prog="python -m catalogue.server", description="Serve the catalogue on loopback.")
    parser.add_argument("--api-port", type=int, required=True)
    parser.add_argument("--mcp-port", type=int, required=True)
    arguments = parser.parse_args()
    if arguments.api_port == arguments.mcp_port:
        parser.error("found one port for both channels; expected two")
    try:
        settings = Settings.from_environment(strict=False)
    except SettingsError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    catalogue = Catalogue(settings)
    try:
        serve(build(catalogue, arguments.api_port, arguments.mcp_port), arguments.api_port, arguments.mcp_port)
    finally:
        catalogue.close()
    return 0


if __name__ == "__main__":
    sys.exit(main())
