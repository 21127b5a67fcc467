# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Custom nodes: registered, named, made ready before they ask for parameters, run by the method that the SDK calls."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..context import Context
from ..declared import declared, own
from ..model import Judgement, Rule
from ..scopes import Site
from ..sdk import ASYNC_NODE, GOVERNED, NODES, REGISTER, is_node

SOURCE = "gold-standards-validator.md, custom-node-development-guide.md"
_ABSTRACT = frozenset({"abc.ABC", "abc.ABCMeta"})
IMPORTS = "from kailash.nodes.base import Node, NodeParameter, register_node\n"
PARAMETERS = (
    '    def get_parameters(self):\n        return {"price": NodeParameter(name="price", type=float, required=True)}\n'
)
RUN = '    def run(self, **kwargs):\n        return {"total": kwargs["price"] * 1.19}\n'
CLASS = "@register_node()\nclass PriceNode(Node):\n"
GOOD = {"app.py": IMPORTS + CLASS + PARAMETERS + RUN}


def custom_node(site: Site, context: Context) -> ast.ClassDef | None:
    """Return the class at a place if it is a custom node that can be made: none that declares abstract methods."""
    node = site.node
    if not isinstance(node, ast.ClassDef):
        return None
    ancestors = ancestors_of(node, site, context)
    if ancestors[0] in NODES or not is_node(ancestors[1:]):
        return None  # no node, or the SDK's own base
    words = [word.value for word in node.keywords]
    bases = {name for item in (*node.bases, *words) for name in context.names(item, site.scope)}
    methods = [context.name(mark, site.scope) for item in context.members(node) for mark in item.decorator_list]
    return None if bases & _ABSTRACT or "abc.abstractmethod" in methods else node


def ancestors_of(node: ast.ClassDef, site: Site, context: Context) -> list[str]:
    """Return the resolved names of a class and what it inherits from."""
    found = [context.class_name(node, site.scope)]
    for base in node.bases:
        for name in context.names(base, site.scope):
            found += [item for item in context.index.ancestors(name) if item not in found]
    return found


def defines(node: ast.ClassDef, site: Site, context: Context, *methods: str) -> bool:
    """Tell whether a class, one of the project that it inherits from, or a concrete node of the SDK has a method."""
    for name in ancestors_of(node, site, context):
        known = context.index.class_of(name)
        if known and any(method in known.members for method in methods):
            return True
        if known is None and name not in NODES and not name.startswith(("builtins.", "abc.", "typing.")):
            return True  # what is defined elsewhere is not known: it may have it
    return False


def method_of(node: ast.ClassDef, name: str) -> ast.FunctionDef | ast.AsyncFunctionDef | None:
    """Return a method that a class defines itself; the last one of that name counts, as for Python."""
    found = [
        item for item in node.body if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef) and item.name == name
    ]
    return found[-1] if found else None


def _registered(site: Site, context: Context) -> Iterator[Judgement]:
    node = custom_node(site, context)
    if node is None:
        return
    marks = {
        context.name(item.func if isinstance(item, ast.Call) else item, site.scope): item
        for item in node.decorator_list
    }
    mark: ast.AST | None = marks.get(REGISTER)
    if mark is None and _registers(node, site, context):
        mark = node  # register_node()(Class), or NodeRegistry.register(Class)
    base = context.class_name(node, site.scope) in context.index.bases
    if mark is None and base and not defines(node, site, context, "get_parameters"):
        return  # a base that is no node yet: those that inherit from it are registered
    if mark is None:
        yield context.finding(
            node,
            f"the node {node.name} without @register_node()",
            "@register_node()",
            "decorate the class",
            kind="missing",
        )
    elif isinstance(mark, ast.Call) and (
        strange := [word.arg for word in mark.keywords if word.arg not in {"alias", None}]
    ):
        yield context.finding(
            mark,
            f"register_node({', '.join(f'{word}=…' for word in strange)})",
            "register_node() or register_node(alias=…)",
            "take them away: the released decorator raises TypeError",
            kind="keyword",
        )
    elif isinstance(mark, ast.Name | ast.Attribute):
        yield context.finding(
            mark,
            f"@{context.text(mark)} without a call",
            "@register_node()",
            "add ()",
            kind="call",
            edits=[context.edit(mark, f"{context.text(mark)}()")],
        )
    elif not node.name.endswith("Node"):
        yield context.finding(
            node, f"a node with the name {node.name}", "a name that ends in Node", "rename it", kind="name"
        )
    else:
        yield None


def _registers(node: ast.ClassDef, site: Site, context: Context) -> bool:
    """Tell whether the module registers a class by a call."""
    tree = context.source.tree
    for item in ast.walk(tree):
        if not isinstance(item, ast.Call) or not item.args or not isinstance(item.args[0], ast.Name):
            continue
        if item.args[0].id != node.name:
            continue
        inner = item.func.func if isinstance(item.func, ast.Call) else item.func
        name = context.name(inner, context.collected.module)
        if name in {REGISTER, "kailash.nodes.base.NodeRegistry.register"}:
            return True
    return False


def _runs(site: Site, context: Context) -> Iterator[Judgement]:
    node = custom_node(site, context)
    if node is None:
        return
    if execute := method_of(node, "execute"):
        yield context.finding(
            execute,
            f"execute() in the node {node.name}",
            "run(), which the SDK's own execute() calls",
            "rename the method to run",
            kind="execute",
        )
        return
    if (late := method_of(node, "run")) and isinstance(late, ast.AsyncFunctionDef):
        yield context.finding(
            late,
            f"async def run() in the node {node.name}",
            "run(), or async_run() of an AsyncNode",
            "base it on AsyncNode and name the method async_run: the SDK takes a coroutine for no result",
            kind="coroutine",
        )
        return
    if late and (strange := _unpassed(late, node, context)):
        yield context.finding(
            late,
            f"run() with the argument {strange}, which get_parameters() does not declare",
            "run(self, **kwargs), or the names of its parameters",
            "take **kwargs: the SDK passes each parameter by its name",
            kind="signature",
        )
        return
    ancestors = ancestors_of(node, site, context)
    wanted = "run_governed" if GOVERNED in ancestors else "async_run" if ASYNC_NODE in ancestors else "run"
    if defines(node, site, context, wanted, "run" if wanted != "run_governed" else wanted):
        yield None
    else:
        yield context.finding(
            node, f"the node {node.name} without {wanted}()", f"{wanted}()", "define it", kind="missing"
        )


def _unpassed(method: ast.FunctionDef | ast.AsyncFunctionDef, node: ast.ClassDef, context: Context) -> str:
    """Return an argument of run() that nobody passes: no parameter has its name, and it has no default."""
    declaring = method_of(node, "get_parameters")
    if declaring is None:
        return ""
    known = declared(declaring, context)
    if known.open or known.inherits:
        return ""
    plain = method.args.args[1:]
    required = plain[: len(plain) - len(method.args.defaults)] if method.args.defaults else plain
    return next((item.arg for item in required if item.arg not in known.names), "")


def _prepared(site: Site, context: Context) -> Iterator[Judgement]:
    """Judge where attributes are set: before super().__init__(), which already asks for the parameters."""
    node = custom_node(site, context)
    method = method_of(node, "__init__") if node else None
    if method is None:
        return
    inits = [number for number, item in enumerate(method.body) if _is_super_init(item)]
    if not inits:
        return
    late = [target for item in method.body[inits[0] + 1 :] for target in _sets(item)]
    for target in late:
        yield context.finding(
            target,
            f"{context.text(target)} set after super().__init__()",
            "attributes set before it",
            "move the line up: super().__init__() calls get_parameters() and validates",
        )
    if not late:
        yield None


def _is_super_init(item: ast.stmt) -> bool:
    value = item.value if isinstance(item, ast.Expr) else None
    function = value.func if isinstance(value, ast.Call) else None
    if not isinstance(function, ast.Attribute) or function.attr != "__init__":
        return False
    inner = function.value
    return isinstance(inner, ast.Name) or (isinstance(inner, ast.Call) and getattr(inner.func, "id", "") == "super")


def _sets(item: ast.stmt) -> Iterator[ast.Attribute]:
    """Yield the attributes of self that a statement sets, within its blocks too."""
    if isinstance(item, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
        return
    for node in (item, *own(item, ast.Assign, ast.AnnAssign, ast.For, ast.With)):
        targets: list[ast.expr | None] = []
        if isinstance(node, ast.Assign):
            targets = [*node.targets]
        elif isinstance(node, ast.AnnAssign):
            targets = [node.target if node.value else None]
        elif isinstance(node, ast.For):
            targets = [node.target]
        elif isinstance(node, ast.With):
            targets = [part.optional_vars for part in node.items]
        while targets:
            target = targets.pop(0)
            if isinstance(target, ast.Tuple | ast.List):
                targets.extend(target.elts)
            elif isinstance(target, ast.Starred):
                targets.append(target.value)
            elif isinstance(target, ast.Attribute) and getattr(target.value, "id", "") == "self":
                yield target


RULES = (
    Rule(
        id="GS04",
        title="Register every node by @register_node(), and end its class's name in Node",
        severity="critical",
        source=f"{SOURCE}: ALL custom nodes MUST",
        rationale="A workflow names its nodes by text: one that is not registered is not found when it runs.",
        bad={"app.py": IMPORTS + "class PriceNode(Node):\n" + PARAMETERS + RUN},
        good=GOOD,
        on=(ast.ClassDef,),
        check=_registered,
        fix="adds () to a decorator without a call",
        known="a class that another module registers",
    ),
    Rule(
        id="GS05",
        title="Implement run(), never execute()",
        severity="critical",
        source=f"{SOURCE}; run_governed() for SecureGovernedNode and async_run() for AsyncNode, as released",
        rationale="execute() of the SDK validates and then calls run(): who overrides it switches validation off.",
        bad={"app.py": IMPORTS + CLASS + PARAMETERS + RUN.replace("def run", "def execute")},
        good=GOOD,
        on=(ast.ClassDef,),
        check=_runs,
    ),
    Rule(
        id="GS08",
        title="Set attributes before super().__init__()",
        severity="critical",
        source="gold-standards-validator.md",
        rationale="The constructor of a node calls get_parameters(), which then finds the attributes missing.",
        bad={
            "app.py": IMPORTS + CLASS + "    def __init__(self, **kwargs):\n        super().__init__(**kwargs)\n"
            "        self.rate = 1.19\n" + PARAMETERS + RUN
        },
        good={
            "app.py": IMPORTS + CLASS + "    def __init__(self, **kwargs):\n        self.rate = 1.19\n"
            "        super().__init__(**kwargs)\n" + PARAMETERS + RUN
        },
        on=(ast.ClassDef,),
        check=_prepared,
    ),
)
