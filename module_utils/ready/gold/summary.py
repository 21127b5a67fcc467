# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What other modules may learn of a file, taken from that file alone."""

from __future__ import annotations

import ast

from .collect import Collected, collect
from .context import Context
from .declared import declared
from .fixtures import plugins, read
from .imitations import ON
from .index import Class, Index, Summary
from .libraries import LIBRARIES
from .scopes import Binding, Scope, Site, lasting
from .source import Source
from .tiers import is_test

#: What a summary needs the places of.
WANTED: tuple[type[ast.AST], ...] = (ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef, ast.Return)
#: What is written in files that define fixtures, or imitate something, in lower case.
_HELPS = ("fixture", "mock", "patch", "fake", "stub", "dummy", *LIBRARIES)


def summarize(source: Source) -> Summary:
    """Return a file's summary. Raises RecursionError."""
    helps = is_test(source.path) and _mentions(source.text.lower())
    collected = collect(source, {*WANTED, *ON} if helps else WANTED)
    found = Summary(source.path, source.module, source.package, stars=tuple(collected.module.stars))
    context = Context(source, collected, Index([found]))
    for name, bindings in collected.module.names.items():
        _name(found, name, lasting(bindings)[-1], collected.module, context)
    for site in collected.sites[ast.ClassDef]:
        if isinstance(site.node, ast.ClassDef):
            _class(found, site.node, site.scope, collected, context)
    returns = _returns(collected)
    for kind in (ast.FunctionDef, ast.AsyncFunctionDef):
        for site in collected.sites[kind]:
            _function(found, site, returns.get(site.node, []), context)
    found.plugins = plugins(context)
    if helps:
        found.fixtures, found.imitators = read(context)
    return found


def _mentions(text: str) -> bool:
    return any(word in text for word in _HELPS)


def _name(found: Summary, name: str, binding: Binding, scope: Scope, context: Context) -> None:
    """Note what a name at the top of the module stands for."""
    if binding.kind == "import":
        found.names[name] = binding.target
    elif binding.kind in {"class", "def"}:
        found.names[name] = ".".join(filter(None, (found.module, name)))
    elif binding.kind == "value" and binding.node is not None:
        if (value := context.on_windows(binding.node, scope)) is not None:
            found.constants[name] = value
        elif (dotted := context.name(binding.node, scope)) and not dotted.startswith("builtins."):
            found.names[name] = dotted
        elif origin := context.origin(binding.node, scope):
            found.origins[name] = origin
        else:
            found.others = (*found.others, name)
    elif binding.kind == "annotated" and (origin := context.made(binding.node, scope)):
        found.origins[name] = origin
    else:
        found.others = (*found.others, name)


def _class(found: Summary, node: ast.ClassDef, scope: Scope, collected: Collected, context: Context) -> None:
    """Note a class, one within a function or a class too."""
    name = f"{scope.name}.{node.name}".lstrip(".")
    inner = collected.inner[node]
    found.classes[name] = Class(
        tuple(name for base in node.bases for name in context.names(base, scope)),
        tuple(filter(None, (context.name(_called(item), scope) for item in node.decorator_list))),
        frozenset(inner.names),
        node.lineno,
        frozenset(name for name, bindings in inner.names.items() if bindings[-1].kind == "def"),
        _parameters(inner, context),
    )


def _parameters(inner: Scope, context: Context) -> tuple[str, ...] | None:
    """Return what get_parameters() of a class declares; "" stands for what it inherits."""
    bindings = inner.names.get("get_parameters", ())
    method = bindings[-1].node if bindings else None
    if not isinstance(method, ast.FunctionDef | ast.AsyncFunctionDef):
        return None
    found = declared(method, context)
    return None if found.open else (*sorted(found.names), *([""] if found.inherits else []))


def _called(node: ast.expr) -> ast.expr:
    return node.func if isinstance(node, ast.Call) else node


def _returns(collected: Collected) -> dict[ast.AST, list[Site]]:
    """Return function -> its return statements."""
    found: dict[ast.AST, list[Site]] = {}
    for site in collected.sites[ast.Return]:
        found.setdefault(site.scope.node, []).append(site)
    return found


def _function(found: Summary, site: Site, returns: list[Site], context: Context) -> None:
    """Note what a function or a method returns, by its annotation, or else by its only `return`."""
    node, scope = site.node, site.scope
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) or scope.kind == "expression":
        return
    key = f"{scope.name}().{node.name}()" if scope.kind == "class" else f"{scope.name}.{node.name}()".lstrip(".")
    marks = {context.name(item, scope) for item in node.decorator_list}
    if marks & {"builtins.property", "functools.cached_property"}:
        key = key.removesuffix("()")
    if node.returns is not None:
        origin = context.made(node.returns, scope)
    elif len(returns) == 1 and isinstance(returns[0].node, ast.Return):
        if (
            value := context.on_windows(returns[0].node.value, returns[0].scope) if returns[0].node.value else None
        ) is not None:
            found.constants[key] = value
            return
        origin = context.origin(returns[0].node.value, returns[0].scope)
    else:
        return
    if origin and not origin.startswith("builtins."):
        found.origins[key] = origin
