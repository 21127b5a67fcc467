# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Parameters of custom nodes: declared, with name and type, and read only if they are."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..context import Context
from ..declared import Declared, declared, returned
from ..model import Judgement, Rule
from ..scopes import Site
from ..sdk import PARAMETER
from .nodes import CLASS, GOOD, IMPORTS, PARAMETERS, RUN, SOURCE, ancestors_of, custom_node, defines, method_of

#: What is plainly no NodeParameter.
_PLAIN = (ast.Constant, ast.Dict, ast.List, ast.Tuple)


def _declares(site: Site, context: Context) -> Iterator[Judgement]:
    node = custom_node(site, context)
    if node is None:
        return
    method = method_of(node, "get_parameters")
    if method is None:
        if defines(node, site, context, "get_parameters"):
            yield None
        else:
            yield context.finding(
                node,
                f"the node {node.name} without get_parameters()",
                "get_parameters()",
                "declare its parameters",
                kind="missing",
            )
        return
    found = returned(method, context)
    empty = [item for item, its in found if its.empty]
    if empty:
        yield context.finding(
            empty[0],
            "get_parameters() that returns {}",
            "a NodeParameter for each parameter",
            "declare what run() reads",
            kind="empty",
        )
    else:
        yield None


def _typed(site: Site, context: Context) -> Iterator[Judgement]:
    """Judge each value of the dictionary that get_parameters returns."""
    node = custom_node(site, context)
    method = method_of(node, "get_parameters") if node else None
    if method is None:
        return
    scope = context.collected.inner[method]
    calls = [
        item
        for item in ast.walk(method)
        if isinstance(item, ast.Call) and context.is_a(context.name(item.func, scope), PARAMETER)
    ]
    for call in calls:
        given = {word.arg for word in call.keywords}
        missing = [name for name in ("name", "type") if name not in given and None not in given]
        kind = next((word.value for word in call.keywords if word.arg == "type"), None)
        if isinstance(kind, ast.Constant) and isinstance(kind.value, str):
            yield context.finding(
                kind,
                f"type={kind.value!r}, a text",
                "a class",
                "name the class: the released SDK calls isinstance() with it",
            )
        elif missing:
            yield context.finding(
                call,
                f"NodeParameter without {' and '.join(missing)}",
                "name= and type=",
                "add them: the released class refuses it without",
            )
        else:
            yield None
    for _, value, where in declared(method, context).items:
        if isinstance(value, _PLAIN) or context.name(value, where).startswith("builtins."):
            yield context.finding(
                value,
                f"{context.text(value)} as a parameter",
                "NodeParameter(name=…, type=…)",
                "declare it as a NodeParameter",
            )


def _named_id(site: Site, context: Context) -> Iterator[Judgement]:
    """Judge names of parameters of nodes: those of the constructor, of run(), and those that are declared."""
    node = custom_node(site, context)
    if node is None:
        return
    found: list[ast.AST] = []
    for method in context.members(node):
        found += [item for item in (*method.args.args, *method.args.kwonlyargs) if item.arg == "_node_id"]
        if method.name == "get_parameters":
            found += [item for item in ast.walk(method) if isinstance(item, ast.Constant) and item.value == "_node_id"]
    for item in found[:1]:
        yield context.finding(
            item, "a parameter _node_id", "another name", "rename it: the SDK keeps the node's id there"
        )
    if not found:
        yield None


def _declared(site: Site, context: Context) -> Iterator[Judgement]:
    """Judge what run() reads from its keyword arguments: get_parameters declares it."""
    node = custom_node(site, context)
    names = _known(node, site, context) if node else None
    if node is None or names is None:
        return  # declared in a way that is not followed
    for name in ("run", "async_run", "run_governed"):
        method = method_of(node, name)
        if method is None or method.args.kwarg is None:
            continue
        for key, place in _read(method, method.args.kwarg.arg):
            if key in names or key.startswith("_"):
                yield None
            else:
                yield context.finding(
                    place,
                    f"run() reads {key!r}, which is not declared",
                    f"one of {', '.join(sorted(names))}" if names else "a parameter that is declared",
                    "declare it in get_parameters(): the SDK drops what is not declared",
                )


def _known(node: ast.ClassDef, site: Site, context: Context) -> set[str] | None:
    """Return the parameters that a node declares or inherits, None where that isn't known."""
    method = method_of(node, "get_parameters")
    found = declared(method, context) if method else Declared(inherits=True)
    if found.open:
        return None
    if not found.inherits:
        return found.names
    inherited = [names for name in ancestors_of(node, site, context)[1:2] if (names := context.index.parameters(name))]
    return found.names | inherited[0] if inherited else None


def _read(method: ast.FunctionDef | ast.AsyncFunctionDef, kwargs: str) -> Iterator[tuple[str, ast.AST]]:
    """Yield the keys that a method reads from its keyword arguments."""
    for item in ast.walk(method):
        key: ast.AST | None = None
        if (
            isinstance(item, ast.Subscript)
            and isinstance(item.ctx, ast.Load)
            and getattr(item.value, "id", "") == kwargs
        ):
            key = item.slice
        elif isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute) and item.func.attr in {"get", "pop"}:
            key = item.args[0] if item.args and getattr(item.func.value, "id", "") == kwargs else None
        if isinstance(key, ast.Constant) and isinstance(key.value, str):
            yield key.value, item


RULES = (
    Rule(
        id="GS06",
        title="Declare parameters in get_parameters(), never none",
        severity="critical",
        source=f"{SOURCE}, violation 3",
        rationale="What is not declared is not passed on to run(), and nothing says so.",
        bad={"app.py": IMPORTS + CLASS + "    def get_parameters(self):\n        return {}\n" + RUN},
        good=GOOD,
        on=(ast.ClassDef,),
        check=_declares,
    ),
    Rule(
        id="GS07",
        title="Declare each parameter as NodeParameter with name and type",
        severity="high",
        source="gold-custom-nodes.md, whose sample omits the name that kailash 2.65.0 demands",
        rationale="The released class raises a validation error without them.",
        bad={"app.py": IMPORTS + CLASS + PARAMETERS.replace('name="price", ', "") + RUN},
        good=GOOD,
        on=(ast.ClassDef,),
        check=_typed,
    ),
    Rule(
        id="GS09",
        title="Never name a parameter _node_id",
        severity="high",
        source="gold-custom-nodes.md",
        rationale="The SDK keeps the id of a node in the workflow under that name.",
        bad={"app.py": IMPORTS + CLASS + PARAMETERS.replace("price", "_node_id") + RUN},
        good=GOOD,
        on=(ast.ClassDef,),
        check=_named_id,
    ),
    Rule(
        id="GS10",
        title="Read declared parameters only",
        severity="high",
        source="gold-standards-validator.md, parameter_passing_comprehensive.md",
        rationale="The SDK passes declared parameters to run() and drops the others without a word.",
        bad={"app.py": IMPORTS + CLASS + PARAMETERS + RUN.replace('["price"]', '["cost"]')},
        good=GOOD,
        on=(ast.ClassDef,),
        check=_declared,
        known="declarations and keys that are known at run time alone",
    ),
)
