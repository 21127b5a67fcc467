# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Imports: absolute, of what is needed, from where the SDK defines it."""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator

from ..context import Context
from ..index import Summary
from ..model import Judgement, Rule
from ..scopes import Site
from ..sdk import ALIASES, RUNTIMES, WORKFLOW


def _absolute(site: Site, context: Context) -> Iterator[Judgement]:
    node = site.node
    assert isinstance(node, ast.Import | ast.ImportFrom)
    if isinstance(node, ast.Import) or not node.level:
        beside = next((name for name in _modules(node) if _is_beside(name, site, context)), "")
        if beside:
            package = _package(context)
            yield context.finding(
                node,
                f"import of {beside} as if it were at the top",
                f"{package}.{beside}",
                f"name the package: the module is in {package}, where Python 3 doesn't look for it",
                kind="beside",
            )
        else:
            yield None
        return
    parts = context.source.module.split(".")
    parts = parts[: len(parts) - node.level + context.source.package]
    base = ".".join([*parts, *filter(None, [node.module])])
    written = f"from {'.' * node.level}{node.module or ''} import"
    if not base:
        yield context.finding(
            node, f"`{written} …`", "an absolute import", "make the directory a package, and import by its name"
        )
        return
    names = ", ".join(item.name + (f" as {item.asname}" if item.asname else "") for item in node.names)
    edits = [context.edit(node, f"from {base} import {names}")] if node.lineno == node.end_lineno else []
    yield context.finding(node, f"`{written} …`", f"`from {base} import …`", "name the package in full", edits=edits)


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    return [item.name for item in node.names] if isinstance(node, ast.Import) else [node.module or ""]


def _package(context: Context) -> str:
    source = context.source
    return source.module if source.package else source.module.rpartition(".")[0]


def _is_beside(name: str, site: Site, context: Context) -> bool:
    """Tell whether a module at the top is one that the file's own package has, and no other.

    A package may have a module with the name of a library that it adapts: such a one lacks what is taken from it, or
    imports the library itself. Tests and scripts find what is beside them.
    """
    top, package = name.partition(".")[0], _package(context)
    if not package or not top or top in sys.stdlib_module_names or context.for_tests:
        return False
    index = context.index
    known = index.modules.get(package)
    if known is None or not known.package or index.split(name) or f"{package}.{top}" == context.source.module:
        return False
    beside, wanted = index.modules.get(f"{package}.{top}"), index.modules.get(f"{package}.{name}")
    if beside is None or wanted is None or _adapts(beside, top):
        return False
    taken = _taken(site, context)
    offered = {*wanted.names, *wanted.classes, *wanted.origins, *wanted.constants, *wanted.others}
    modules = (f"{package}.{name}.{item}" in index.modules for item in taken - offered)
    return bool(wanted.stars) or all(modules)


def _adapts(module: Summary, top: str) -> bool:
    """Tell whether a module imports a library of the same name."""
    return any(target.partition(".")[0] == top for target in (*module.names.values(), *module.stars))


def _taken(site: Site, context: Context) -> set[str]:
    """Return the names that a file takes from what it imports."""
    node = site.node
    if isinstance(node, ast.ImportFrom):
        return {item.name for item in node.names} - {"*"}
    assert isinstance(node, ast.Import)
    names = {item.asname or item.name for item in node.names}
    return {
        item.attr
        for item in ast.walk(context.source.tree)
        if isinstance(item, ast.Attribute) and isinstance(item.value, ast.Name) and item.value.id in names
    }


#: Where the gold standard wants a class from -> the module that it names.
_WANTED = {WORKFLOW: "kailash.workflow.builder", **{name: name.rpartition(".")[0] for name in RUNTIMES}}


def _of_package(node: ast.Import, context: Context) -> bool:
    """Tell whether of kailash.nodes nothing is used but what every package has, such as __path__."""
    alias = next((item.asname for item in node.names if item.name == "kailash.nodes"), None)
    used = [
        item.attr
        for item in ast.walk(context.source.tree)
        if isinstance(item, ast.Attribute) and ast.unparse(item.value) == (alias or "kailash.nodes")
    ]
    return bool(used) and all(name.startswith("__") and name.endswith("__") for name in used)


def _bulk(site: Site, context: Context) -> Iterator[Judgement]:
    node = site.node
    if isinstance(node, ast.Import):
        modules = [item.name for item in node.names]
        for module in modules:
            if module == "kailash.nodes" and _of_package(node, context):
                yield None
            elif module == "kailash.nodes":
                yield context.finding(
                    node,
                    "`import kailash.nodes`",
                    "an import of the module that defines a node",
                    "import it from kailash.nodes.base or its own module",
                )
            elif module.startswith("kailash."):
                yield None
        return
    assert isinstance(node, ast.ImportFrom)
    if node.level or not node.module or not node.module.startswith("kailash"):
        return
    if node.module == "kailash.nodes" or (
        node.module == "kailash" and any(item.name == "nodes" for item in node.names)
    ):
        yield context.finding(
            node,
            f"`from {node.module} import {', '.join(item.name for item in node.names)}`",
            "an import from the module that defines a node",
            "import it from kailash.nodes.base or its own module",
        )
    else:
        yield None


def _defined(site: Site, context: Context) -> Iterator[Judgement]:
    node = site.node
    assert isinstance(node, ast.ImportFrom)
    if node.level:
        return
    for item in node.names:
        dotted = f"{node.module}.{item.name}"
        target = ALIASES.get(dotted, dotted)
        if target not in _WANTED:
            continue
        if node.module == _WANTED[target]:
            yield None
            continue
        alone = len(node.names) == 1 and node.lineno == node.end_lineno
        text = f"from {_WANTED[target]} import {item.name}" + (f" as {item.asname}" if item.asname else "")
        yield context.finding(
            node,
            f"`from {node.module} import {item.name}`",
            f"`from {_WANTED[target]} import {item.name}`",
            "import it from the module that defines it",
            edits=[context.edit(node, text)] if alone else [],
        )


RULES = (
    Rule(
        id="GS01",
        title="Import absolutely",
        severity="critical",
        source="gold-standards-validator.md, absolute-imports-gold-standard.md",
        rationale="A relative import breaks as soon as a file is run on its own or moved.",
        bad={"shop/__init__.py": "", "shop/orders.py": "from .models import Order\n"},
        good={"shop/__init__.py": "", "shop/orders.py": "from shop.models import Order\n"},
        on=(ast.Import, ast.ImportFrom),
        check=_absolute,
        fix="writes the package's full name, where the import is on one line",
    ),
    Rule(
        id="GS02",
        title="Import nodes from the modules that define them",
        severity="high",
        source="gold-standards-validator.md, Import Pattern Check. ADR-009 demands `from kailash.nodes import *`: the "
        "published standard decides; that import fails on a plain install of kailash 2.65.0 besides",
        rationale="A bulk import loads every node of the SDK, and hides which one is used.",
        bad={"app.py": "from kailash.nodes import *\n"},
        good={"app.py": "from kailash.nodes.base import Node, NodeParameter, register_node\n"},
        on=(ast.Import, ast.ImportFrom),
        check=_bulk,
    ),
    Rule(
        id="GS03",
        title="Import WorkflowBuilder and runtimes from the modules that define them",
        severity="medium",
        source="ADR-009, R1; absolute-imports-gold-standard.md",
        rationale="One spelling, that of the definition, can be found and replaced.",
        bad={"app.py": "from kailash.workflow import WorkflowBuilder\nfrom kailash.runtime import LocalRuntime\n"},
        good={
            "app.py": "from kailash.workflow.builder import WorkflowBuilder\n"
            "from kailash.runtime.local import LocalRuntime\n"
        },
        on=(ast.ImportFrom,),
        check=_defined,
        fix="writes the module's name, where one name is imported on one line",
    ),
)
