# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Parameters of nodes that can carry an injection, and whether anything looks at them.

A parameter is covered when it is declared through examples/catalogue/governed, when its type can't
carry an injection, or when the node calls something with it that visibly validates. A base class alone covers nothing:
SecureGovernedNode of kailash 2.65.0 passes `x' OR 1=1; DROP TABLE t;--` on as it is.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..context import Context
from ..model import Judgement, Rule
from ..scopes import Scope, Site
from ..sdk import FIELDS, GOVERNED, PARAMETER, REFERENCE_NODES, REFERENCE_PARAMETERS, is_node
from ..swallowed import ignored
from .nodes import ancestors_of, custom_node, method_of

#: Types whose values are no text: nothing can be injected through them.
_HARMLESS = frozenset(
    {
        *(f"builtins.{name}" for name in ("int", "float", "bool", "complex")),
        *(f"datetime.{name}" for name in ("date", "datetime", "time", "timedelta")),
        *("decimal.Decimal", "uuid.UUID", "fractions.Fraction"),
    }
)
_ENUMS = frozenset({"enum.Enum", "enum.IntEnum", "enum.StrEnum", "enum.Flag", "enum.IntFlag"})
#: Names of functions and methods that validate what they are given.
_VALIDATOR = re.compile(r"^_*(validate|sanitize|sanitise|verify|ensure|check|escape|clean|quote|parse)(_|$)")
#: What compares a secret: it says who somebody is, and nothing about a text.
_LOGIN = re.compile(r"(password|passwd|secret|token|signature|credentials|login)", re.IGNORECASE)
_VALIDATORS = frozenset(
    {
        *(f"re.{name}" for name in ("fullmatch", "match")),
        *(
            "html.escape",
            "shlex.quote",
            "markupsafe.escape",
            "bleach.clean",
            "ipaddress.ip_address",
            "urllib.parse.quote",
        ),
    }
)
_RUNS = ("run", "async_run", "run_governed")
_SOURCE = "ADR-009, R1: parameters are validated for security; custom-node-development-guide.md"


def _word(call: ast.Call, name: str) -> ast.expr | None:
    return next((item.value for item in call.keywords if item.arg == name), None)


def _declared(node: ast.ClassDef, context: Context) -> Iterator[tuple[ast.Call, str, Scope]]:
    """Yield the declarations of a node's parameters: the call, the class that it makes, and the scope."""
    method = method_of(node, "get_parameters")
    if method is None:
        return
    scope = context.collected.inner[method]
    for item in ast.walk(method):
        if isinstance(item, ast.Call) and (named := context.name(item.func, scope)) and context.is_a(named, PARAMETER):
            yield item, named, scope


def _harmless(call: ast.Call, scope: Scope, context: Context) -> bool:
    """Tell whether a parameter's type, or its list of choices, leaves no room for an injection."""
    if any(isinstance(value := _word(call, name), ast.List | ast.Tuple) and value.elts for name in ("choices", "enum")):
        return True
    kind = _word(call, "type")
    named = context.name(kind, scope) if kind is not None else ""
    if isinstance(kind, ast.Constant) and f"builtins.{kind.value!s}" in _HARMLESS:  # as text: GS07 says so
        return True
    return named in _HARMLESS or bool(named and context.is_a(named, *_ENUMS))


def _key(node: ast.AST, kwargs: str) -> str:
    """Return the parameter that an expression reads: kwargs["query"], kwargs.get("query"), or the name itself."""
    found: ast.AST | None = None
    if isinstance(node, ast.Subscript) and getattr(node.value, "id", "") == kwargs:
        found = node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in {"get", "pop"}:
        found = node.args[0] if node.args and getattr(node.func.value, "id", "") == kwargs else None
    elif isinstance(node, ast.Name):
        return node.id
    return str(found.value) if isinstance(found, ast.Constant) else ""


def _validated(node: ast.ClassDef, context: Context) -> tuple[set[str], bool]:
    """Return the parameters that the node visibly validates, and whether it hands all of them to a validator."""
    names: set[str] = set()
    every = False
    for method in (found for name in _RUNS if (found := method_of(node, name))):
        scope = context.collected.inner[method]
        kwargs = _inputs(method)
        aliases = {
            target.id: key
            for item in ast.walk(method)
            if isinstance(item, ast.Assign) and (key := _key(item.value, kwargs))
            for target in item.targets
            if isinstance(target, ast.Name)
        }
        vain = ignored(method, scope, context)
        for item in ast.walk(method):
            if not isinstance(item, ast.Call) or item in vain or not _validates(item, scope, context):
                continue
            given = [*item.args, *(word.value for word in item.keywords if word.arg)]
            keys = {key for value in given if (key := _key(value, kwargs))}
            names |= keys | {aliases[key] for key in keys if key in aliases}
            whole = (word.value for word in item.keywords if word.arg is None)  # Model(**kwargs)
            every |= kwargs in keys or any(getattr(value, "id", "") == kwargs for value in whole)
    return names - {""}, every


def _inputs(method: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the name under which a method has all its parameters: its keyword arguments, or its only argument."""
    if method.args.kwarg:
        return method.args.kwarg.arg
    plain = [item.arg for item in method.args.args[1:]]
    return plain[0] if len(plain) == 1 else ""


def _validates(call: ast.Call, scope: Scope, context: Context) -> bool:
    """Tell whether a call is one of a validator, of a type that refuses text, or of a pydantic model."""
    function = call.func
    named = context.name(function, scope)
    last = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
    if _LOGIN.search(last):
        return False
    if _VALIDATOR.match(last) or named in _VALIDATORS or named in _HARMLESS or named.startswith("kailash.security."):
        return True
    if last in {"fullmatch", "model_validate"}:
        return True
    return bool(named and context.is_a(named, "pydantic.BaseModel", "pydantic.main.BaseModel", *_ENUMS))


def _covered(site: Site, context: Context) -> Iterator[Judgement]:
    node = custom_node(site, context)
    if node is None:
        return
    validated, every = _validated(node, context)
    for call, made, scope in _declared(node, context):
        name = _word(call, "name")
        word = str(name.value) if isinstance(name, ast.Constant) else ""
        if context.is_a(made, *REFERENCE_PARAMETERS) or _harmless(call, scope, context) or every or word in validated:
            yield None
        else:
            kind = _word(call, "type")
            yield context.finding(
                call,
                f"the parameter {word or '?'} of type {context.text(kind) if kind else '?'}, which nothing validates",
                "a SafeParameter, a type that carries no text, choices, or a call of a validator",
                "declare it as governed.SafeParameter, or validate it at the start of run()",
            )


def _ignored(site: Site, context: Context) -> Iterator[Judgement]:
    node = site.node
    assert isinstance(node, ast.Call)
    named = context.name(node.func, site.scope)
    if not named or not context.is_a(named, PARAMETER) or context.is_a(named, *REFERENCE_PARAMETERS):
        return
    strange = [item for item in node.keywords if item.arg not in FIELDS and item.arg is not None]
    word = next((item for item in strange if not _declares(named, item.arg or "", context)), None)
    if word is None:
        yield None
    else:
        yield context.finding(
            word,
            f"{word.arg} of NodeParameter, which the released SDK ignores without a word",
            "governed.SafeParameter(rules=…), whose rules run",
            "declare the parameter as a SafeParameter",
        )


def _declares(named: str, field: str, context: Context) -> bool:
    """Tell whether a class of the project's own has the field: then the released class doesn't drop it."""
    classes = (context.index.class_of(name) for name in context.index.ancestors(named))
    return any(known is not None and field in known.members for known in classes)


def _governed(site: Site, context: Context) -> Iterator[Judgement]:
    node = custom_node(site, context)
    if node is None or context.for_tests:
        return
    ancestors = ancestors_of(node, site, context)
    if {GOVERNED, *REFERENCE_NODES} & set(ancestors):
        yield None
    elif not any(context.index.class_of(name) and is_node(context.index.ancestors(name)) for name in ancestors[1:]):
        yield context.finding(
            node,
            f"the node {node.name} on a plain base class",
            "governed.GovernedNode, or SecureGovernedNode of the SDK",
            "change its base class; GovernedNode also rejects injections",
        )


_GOOD = {
    "app.py": "from governed import GovernedNode, SafeParameter\n"
    "from kailash.nodes.base import register_node\n"
    "@register_node()\n"
    "class FindNode(GovernedNode):\n"
    "    def get_parameters(self):\n"
    "        return {'query': SafeParameter(name='query', type=str, rules=['sql'])}\n"
    "    def run_governed(self, **kwargs):\n"
    "        return {'found': kwargs['query']}\n"
}
_PLAIN = {
    "app.py": "from kailash.nodes.base import Node, NodeParameter, register_node\n"
    "@register_node()\n"
    "class FindNode(Node):\n"
    "    def get_parameters(self):\n"
    "        rules = ['security']\n"
    "        return {'query': NodeParameter(name='query', type=str, validation_rules=rules)}\n"
    "    def run(self, **kwargs):\n"
    "        return {'found': kwargs['query']}\n"
}
_VALIDATING = {"app.py": _PLAIN["app.py"].replace(", validation_rules=rules", "")}

RULES = (
    Rule(
        id="GS19",
        title="Base nodes on a governed class",
        severity="high",
        source="custom-node-development-guide.md; the released class validates less than its page says: see SEC01",
        rationale="A governed base logs who ran what, and is where validation of all nodes has its place.",
        bad=_PLAIN,
        good=_GOOD,
        on=(ast.ClassDef,),
        check=_governed,
    ),
    Rule(
        id="SEC01",
        title="Validate each parameter that can carry an injection",
        severity="critical",
        source=_SOURCE,
        rationale="A text that reaches a query, a command, a path or a template as it is runs there.",
        bad=_PLAIN,
        good=_GOOD,
        on=(ast.ClassDef,),
        check=_covered,
        known="whether a validator is a good one; validation in a base class of the project's own",
    ),
    Rule(
        id="SEC02",
        title="Give a parameter no keyword that the SDK ignores, validation_rules first",
        severity="high",
        source="ADR-009's sample has validation_rules; NodeParameter of kailash 2.65.0 has no such field",
        rationale="The code reads as if it were validated, and nothing is.",
        bad=_PLAIN,
        good=_VALIDATING,
        on=(ast.Call,),
        check=_ignored,
    ),
)
