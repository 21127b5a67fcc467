# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Workflows: how they are built, connected and run."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from ..context import Context
from ..model import Judgement, Rule
from ..scopes import Site
from ..sdk import RUNTIMES, WORKFLOW, is_node

_BUILDER = f"{WORKFLOW}()"
_BUILT = f"{WORKFLOW}().build()"
_RUNTIMES = frozenset(f"{name}()" for name in RUNTIMES)
_FLOW = "from kailash.workflow.builder import WorkflowBuilder\nflow = WorkflowBuilder()\n"
_RUN = (
    "from kailash.runtime.local import LocalRuntime\n"
    + _FLOW
    + "with LocalRuntime() as runtime:\n    results, run_id = runtime.execute(flow.build())\n"
)


def _method(site: Site, context: Context, *names: str) -> tuple[ast.Call, str] | None:
    """Return a call of a method of one of the names, and where its object comes from."""
    node = site.node
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in names:
        return node, _sdk(context.origin(node.func.value, site.scope), context, node.func.attr)
    return None


def _sdk(origin: str, context: Context, *methods: str) -> str:
    """Return an origin with the SDK's class in the place of one that inherits from it and leaves the methods alone."""
    head, call, rest = origin.partition("()")
    if not call or head.startswith("kailash."):
        return origin
    for name in context.index.ancestors(head):
        if name == WORKFLOW or name in RUNTIMES:
            return f"{name}()" + rest
        known = context.index.class_of(name)
        if known is None or known.members & {*methods, "build", "__enter__"}:
            return origin
    return origin


def _executed(site: Site, context: Context) -> Iterator[Judgement]:
    if not (found := _method(site, context, "execute", "execute_async", "execute_workflow_async")):
        return
    node, origin = found
    if origin in {_BUILDER, _BUILT}:
        yield context.finding(
            node, f"`{context.text(node)}`", "runtime.execute(workflow.build())", "hand the built workflow to a runtime"
        )
        return
    first = node.args[0] if node.args else next((item.value for item in node.keywords if item.arg == "workflow"), None)
    if origin not in _RUNTIMES or first is None:
        return
    if _sdk(context.origin(first, site.scope), context) == _BUILDER:
        yield context.finding(
            node,
            f"`{context.text(node)}`, of a workflow that is not built",
            "runtime.execute(workflow.build())",
            "add .build()",
            edits=[context.edit(first, f"{context.text(first)}.build()")] if isinstance(first, ast.Name) else [],
        )
    else:
        yield None


def _ids(context: Context) -> frozenset[str] | None:
    """Return the ids of the nodes that a file adds, None where one of them isn't visible; asked once for a file."""
    if "ids" not in context.sets:
        calls = (site.node for site in context.collected.sites[ast.Call])
        found = [_id(node) for node in calls if isinstance(node, ast.Call) and _named(node, "add_node")]
        context.sets["ids"] = None if None in found else frozenset(filter(None, found))
    return context.sets["ids"]


def _named(node: ast.Call, method: str) -> bool:
    return isinstance(node.func, ast.Attribute) and node.func.attr == method


def _id(node: ast.Call) -> str | None:
    word = next((item.value for item in node.keywords if item.arg == "node_id"), None)
    given = node.args[1] if len(node.args) > 1 else word
    return str(given.value) if isinstance(given, ast.Constant) else None


def _handed(context: Context) -> frozenset[str]:
    """Return the names that a file hands to functions: these may add nodes to what they get."""
    if "handed" not in context.sets:
        calls = (site.node for site in context.collected.sites[ast.Call])
        given = (item for node in calls if isinstance(node, ast.Call) for item in (*node.args, *node.keywords))
        values = (item.value if isinstance(item, ast.keyword) else item for item in given)
        context.sets["handed"] = frozenset(item.id for item in values if isinstance(item, ast.Name))
    return context.sets["handed"] or frozenset()


def _own(builder: ast.expr, site: Site, context: Context) -> bool:
    """Tell whether nobody but the code at hand adds nodes to a builder: it makes it and hands it to no function."""
    found = site.scope.find(builder.id) if isinstance(builder, ast.Name) else None
    made = found is not None and all(binding.kind in {"value", "entered"} for binding in found[1])
    return made and isinstance(builder, ast.Name) and builder.id not in _handed(context)


def _swapped(node: ast.Call, site: Site, context: Context) -> Judgement:
    """Judge the order of four arguments: of two that are ids of nodes, one is the first and the other the third."""
    texts = [item.value if isinstance(item, ast.Constant) else None for item in node.args]
    known = _ids(context) if len(texts) == 4 and None not in texts else None
    places = [place for place, text in enumerate(texts) if known and text in known]
    if len(places) != 2 or places == [0, 2]:
        return None
    assert isinstance(node.func, ast.Attribute)
    if not _own(node.func.value, site, context):  # others add nodes too: one of these names may be an output's
        return None
    return context.finding(
        node,
        f"`{context.text(node)}`, with ids of nodes as arguments {places[0] + 1} and {places[1] + 1}",
        "them as arguments 1 and 3: from node, its output, to node, its input",
        'put them in order: add_connection("a", "result", "b", "data")',
        kind="order",
    )


def _connected(site: Site, context: Context) -> Iterator[Judgement]:
    """Judge connections: each names node and output, node and input."""
    if not (found := _method(site, context, "add_connection")) or found[1] != _BUILDER:
        return
    node = found[0]
    if any(isinstance(item, ast.Starred) for item in node.args) or any(word.arg is None for word in node.keywords):
        return
    count = len(node.args) + len(node.keywords)
    if count == 4:
        yield _swapped(node, site, context)
    else:
        yield context.finding(
            node,
            f"add_connection() with {count} arguments",
            "4: from node, its output, to node, its input",
            'name output and input: add_connection("a", "result", "b", "data")',
        )


def _added(site: Site, context: Context) -> Iterator[Judgement]:
    """Judge the first argument of add_node: the name of a node's class, as text."""
    if not (found := _method(site, context, "add_node")) or found[1] != _BUILDER:
        return
    node = found[0]
    first = node.args[0] if node.args else next((word.value for word in node.keywords if word.arg == "node_type"), None)
    if first is None or isinstance(first, ast.Starred):
        return
    if isinstance(first, ast.Name | ast.Attribute | ast.Call):
        named = context.name(first.func if isinstance(first, ast.Call) else first, site.scope)
        if is_node(context.index.ancestors(named)) if named else False:
            word = named.rpartition(".")[2]
            known = named.startswith("kailash.")  # a node of the project may be registered under another name
            yield context.finding(
                node,
                f"add_node({context.text(first)}, …)",
                f'add_node("{word}", …)',
                "name the class by text",
                edits=[context.edit(first, f'"{word}"')] if known and isinstance(first, ast.Name) else [],
            )
    elif isinstance(first, ast.Constant) and isinstance(first.value, str):
        second = node.args[1] if len(node.args) > 1 else None
        kind = second.value if isinstance(second, ast.Constant) else None
        if isinstance(kind, str) and kind.endswith("Node") and not first.value.endswith("Node"):
            yield context.finding(
                node,
                f'add_node("{first.value}", "{kind}", …), the id first',
                f'add_node("{kind}", "{first.value}", …)',
                "name the class first: the SDK looks for a class of the first name",
            )
        else:
            yield None


#: Lines of code that a PythonCodeNode may hold as text.
_LINES = 3


def _text(code: ast.AST | None) -> str | None:
    """Return code that is a text; what an f-string puts in counts as a word."""
    if isinstance(code, ast.JoinedStr):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in code.values)
    return code.value if isinstance(code, ast.Constant) and isinstance(code.value, str) else None


def _short(site: Site, context: Context) -> Iterator[Judgement]:
    """Judge code in texts: more than a few lines is a function, handed over by from_function."""
    node = site.node
    assert isinstance(node, ast.Call)
    code: ast.AST | None = None
    if (found := _method(site, context, "add_node")) and found[1] == _BUILDER:
        if not node.args or not isinstance(node.args[0], ast.Constant) or node.args[0].value != "PythonCodeNode":
            return
        settings = next((item for item in node.args[1:] if isinstance(item, ast.Dict)), None)
        pairs = zip(settings.keys, settings.values, strict=True) if settings else ()
        code = next((value for key, value in pairs if isinstance(key, ast.Constant) and key.value == "code"), None)
    elif context.name(node.func, site.scope) == "kailash.nodes.code.python.PythonCodeNode":
        code = next((word.value for word in node.keywords if word.arg == "code"), None)
    if isinstance(code, ast.Name) and (bound := site.scope.find(code.id)):
        code = bound[1][-1].node
    text = _text(code)
    if code is None or text is None:
        return
    lines = [line for line in text.splitlines() if line.strip()]
    if len(lines) > _LINES:
        yield context.finding(
            code,
            f"{len(lines)} lines of code in a text",
            f"at most {_LINES}",
            "write a function, and use PythonCodeNode.from_function",
        )
    else:
        yield None


_OF_A_DICTIONARY = frozenset(dir(dict))


def _of_node(node: ast.Attribute | ast.Subscript) -> ast.Subscript | None:
    """Return the subscript that takes a node's output out of results, where an attribute of it is asked for."""
    inner = node.value
    key = inner.slice if isinstance(node, ast.Attribute) and isinstance(inner, ast.Subscript) else None
    return inner if isinstance(inner, ast.Subscript) and isinstance(key, ast.Constant | ast.Name) else None


def _taken(site: Site, context: Context) -> Iterator[Judgement]:
    """Judge how results are taken: execute() returns dictionaries, by the ids of nodes."""
    node = site.node
    assert isinstance(node, ast.Attribute | ast.Subscript)
    inner = _of_node(node)
    results = inner.value if inner else node.value
    if not isinstance(results, ast.Name) or not (found := site.scope.find(results.id)):
        return
    where, bindings = found
    call = bindings[-1].node
    if bindings[-1].kind != "element" or bindings[-1].target != "0" or not isinstance(call, ast.Call):
        return
    origin = _sdk(context.origin(call, where), context, "execute")
    if origin.rpartition(".")[2] != "execute()" or origin.rpartition(".")[0] not in _RUNTIMES:
        return
    if isinstance(node, ast.Subscript) or node.attr in _OF_A_DICTIONARY:
        yield None
    else:
        yield context.finding(
            node,
            f"`{context.text(node)}`",
            f'`{context.text(inner)}["{node.attr}"]`' if inner else f'`{results.id}["{node.attr}"]["result"]`',
            "take a node's result by its id: results are dictionaries, and so is what each node returns",
        )


def _cyclic(site: Site, context: Context) -> Iterator[Judgement]:
    """Judge cycles: each is made from a built workflow."""
    if not (found := _method(site, context, "create_cycle")):
        return
    node, origin = found
    if origin == _BUILT:
        yield None
    elif origin == _BUILDER:
        yield context.finding(
            node,
            f"`{context.text(node)}` of a workflow that is not built",
            "workflow.build().create_cycle(…)",
            "build the workflow first, then create the cycle",
        )


RULES = (
    Rule(
        id="GS11",
        title="Execute workflows by runtime.execute(workflow.build())",
        severity="critical",
        source="gold-standards-validator.md",
        rationale="A workflow has no execute(), and a runtime takes a built one alone.",
        bad={
            "app.py": "from kailash.runtime.local import LocalRuntime\n"
            "from kailash.workflow.builder import WorkflowBuilder\n"
            "flow = WorkflowBuilder()\n"
            "with LocalRuntime() as runtime:\n"
            "    runtime.execute(flow)\n"
        },
        good={
            "app.py": "from kailash.runtime.local import LocalRuntime\n"
            "from kailash.workflow.builder import WorkflowBuilder\n"
            "flow = WorkflowBuilder()\n"
            "built = flow.build()\n"
            "with LocalRuntime() as runtime:\n"
            "    runtime.execute(built)\n"
        },
        on=(ast.Call,),
        check=_executed,
        fix="adds .build() to a name",
    ),
    Rule(
        id="GS12",
        title="Connect nodes with four arguments",
        severity="critical",
        source="gold-standards-validator.md",
        rationale="Without names of output and input the released builder raises TypeError.",
        bad={"app.py": _FLOW + 'flow.add_connection("a", "b")\n'},
        good={"app.py": _FLOW + 'flow.add_connection("a", "result", "b", "data")\n'},
        on=(ast.Call,),
        check=_connected,
    ),
    Rule(
        id="GS13",
        title="Name the class of a node by text",
        severity="medium",
        source="parameter_passing_comprehensive.md, NEW STANDARD (another line of it allows classes for custom nodes)",
        rationale="Text is resolved by the registry, also in workflows that are saved and loaded.",
        bad={
            "app.py": _FLOW + "from kailash.nodes.data.readers import CSVReaderNode\n"
            'flow.add_node(CSVReaderNode, "read", {"file_path": "a.csv"})\n'
        },
        good={"app.py": _FLOW + 'flow.add_node("CSVReaderNode", "read", {"file_path": "a.csv"})\n'},
        on=(ast.Call,),
        check=_added,
        fix="writes the name of a class of the SDK as text",
    ),
    Rule(
        id="GS14",
        title="Keep code in texts to three lines",
        severity="critical",
        source="gold-standards-validator.md",
        rationale="Code in a text is read by no checker, and has no tests.",
        bad={
            "app.py": _FLOW
            + 'flow.add_node("PythonCodeNode", "n", {"code": "a = 1\\nb = 2\\nc = a + b\\nresult = c"})\n'
        },
        good={"app.py": _FLOW + 'flow.add_node("PythonCodeNode", "n", {"code": "result = 1 + 2"})\n'},
        on=(ast.Call,),
        check=_short,
    ),
    Rule(
        id="GS15",
        title="Take results by the id of a node",
        severity="medium",
        source="17-gold-standards/SKILL.md",
        rationale="Results are dictionaries: an attribute of them raises AttributeError.",
        bad={"app.py": _RUN + "print(results.price)\n"},
        good={"app.py": _RUN + 'print(results["price"]["result"])\n'},
        on=(ast.Attribute, ast.Subscript),
        check=_taken,
    ),
    Rule(
        id="GS20",
        title="Build a workflow before it gets a cycle",
        severity="high",
        source="gold-standards-validator.md",
        rationale="create_cycle() is a method of the built workflow.",
        bad={"app.py": _FLOW + 'flow.create_cycle("again").connect("a", "b").max_iterations(3).build()\n'},
        good={"app.py": _FLOW + 'flow.build().create_cycle("again").connect("a", "b").max_iterations(3).build()\n'},
        on=(ast.Call,),
        check=_cyclic,
    ),
)
