# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a run wrote into Neo4j, ChromaDB and Redis is removed, and looked for again; the database is the host's part."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from ready_frameworks.context import FAIL, PASS, UNKNOWN, Context, finding, part

if TYPE_CHECKING:
    from catalogue.stores import Stores


def run(context: Context) -> dict[str, Any]:
    """Return the part: `removed` is a number by store, `left` what is still there.

    Of a store that is away nothing is known: no proof, and no fault of the cleaning.
    """
    from catalogue import stores as application
    from catalogue.settings import Settings

    steps: dict[str, tuple[Callable[[Stores], int], Callable[[Stores], list[str]]]] = {
        "neo4j": (application.remove_nodes, _nodes),
        "chromadb": (application.remove_collections, _collections),
        "redis": (application.remove_keys, _keys),
    }
    found, removed, left = [], {}, []
    with application.Stores(Settings.from_environment(dict(context.settings), strict=False)) as stores:
        for store, (remove, look) in steps.items():
            try:
                removed[store] = remove(stores)
                there = look(stores)
            except Exception as error:  # drivers share no base class
                detail = f"{store}: found {type(error).__name__}: {error}; expected it to answer"
                found.append(finding(store, UNKNOWN, context.clean(f"{detail}. Next: ./ready check, then run again")))
                continue
            found.append(_judged(context, store, there))
            left += [f"{store}: {name}" for name in there]
    return part(found, removed=removed, left=[context.clean(name) for name in left])


def _judged(context: Context, store: str, there: list[str]) -> dict[str, Any]:
    if not there:
        return finding(store, PASS)
    detail = f"{store}: found {', '.join(there[:5])} after removing; expected nothing named {context.prefix}"
    return finding(store, FAIL, context.clean(detail))


def _nodes(stores: Stores) -> list[str]:
    label = stores.settings.label
    count = stores.neo4j.execute_query(f"MATCH (n:`{label}`) RETURN count(n) AS n").records[0]["n"]
    return [f"{count} nodes {label}"] if count else []


def _collections(stores: Stores) -> list[str]:
    start = stores.settings.collection("")
    return [each.name for each in stores.chromadb.list_collections() if each.name.startswith(start)]


def _keys(stores: Stores) -> list[str]:
    found: list[str] = []
    with suppress(StopIteration):
        keys = iter(stores.redis.scan_iter(match=stores.settings.key("*"), count=500))
        while len(found) < 20:
            found.append(str(next(keys)))
    return found
