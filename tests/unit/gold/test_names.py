"""What names mean across the modules of a project."""

from __future__ import annotations

import ast

import pytest
from ready.gold.collect import collect
from ready.gold.context import Context
from ready.gold.index import Index
from ready.gold.summary import summarize

from tests.unit.gold.goldfiles import read

BUILDER = "kailash.workflow.builder.WorkflowBuilder"
SDK = "from kailash.workflow.builder import WorkflowBuilder\n"


def asked(files: dict[str, str], path: str) -> tuple[str, str]:
    """Return name and origin of the argument of the last call of `ask(...)` in a file."""
    sources = read(files)
    index = Index(summarize(source) for source in sources.values())
    collected = collect(sources[path], [ast.Call])
    context = Context(sources[path], collected, index)
    calls = [site for site in collected.sites[ast.Call] if getattr(site.node.func, "id", "") == "ask"]  # type: ignore[attr-defined]
    node = calls[-1].node.args[0]  # type: ignore[attr-defined]
    return context.name(node, calls[-1].scope), context.origin(node, calls[-1].scope)


@pytest.mark.parametrize(
    ("text", "name"),
    [
        (f"{SDK}ask(WorkflowBuilder)", BUILDER),
        ("from kailash.workflow.builder import WorkflowBuilder as W\nask(W)", BUILDER),
        ("import kailash.workflow.builder\nask(kailash.workflow.builder.WorkflowBuilder)", BUILDER),
        ("import kailash.workflow.builder as b\nask(b.WorkflowBuilder)", BUILDER),
        ("from kailash.workflow import WorkflowBuilder\nask(WorkflowBuilder)", BUILDER),
        ("from kailash import workflow\nask(workflow.WorkflowBuilder)", BUILDER),
        (f"{SDK}B = WorkflowBuilder\nC = B\nask(C)", BUILDER),
        (f"{SDK}def f():\n    B = WorkflowBuilder\n    ask(B)", BUILDER),
        ("def f():\n    from kailash.workflow.builder import WorkflowBuilder\n    ask(WorkflowBuilder)", BUILDER),
        (
            "try:\n    from kailash.workflow.builder import WorkflowBuilder\nexcept ImportError: pass\n"
            "ask(WorkflowBuilder)",
            BUILDER,
        ),
        (f"{SDK}class A:\n    WorkflowBuilder = 1\n    def f(self):\n        ask(WorkflowBuilder)", BUILDER),
        (f"{SDK}def f(WorkflowBuilder):\n    ask(WorkflowBuilder)", ""),
        (f"{SDK}ask([WorkflowBuilder for WorkflowBuilder in x][0])", ""),
        (f"{SDK}x = [ask(WorkflowBuilder) for WorkflowBuilder in y]", ""),
        ("ask(open)", "builtins.open"),
        ("from a import b\ndef f():\n    global b\n    b = 1\nask(b)", ""),
    ],
)
def test_names(text: str, name: str) -> None:
    """Aliases, scopes, re-exports of the SDK."""
    assert asked({"app.py": text}, "app.py")[0] == name


@pytest.mark.parametrize(
    ("text", "origin"),
    [
        (f"{SDK}w = WorkflowBuilder()\nask(w)", f"{BUILDER}()"),
        (f"{SDK}w = WorkflowBuilder()\nb = w.build()\nask(b)", f"{BUILDER}().build()"),
        (f"{SDK}w = WorkflowBuilder()\nw = w.build()\nask(w)", f"{BUILDER}().build()"),
        (f"{SDK}ask(WorkflowBuilder().build())", f"{BUILDER}().build()"),
        (f"{SDK}def make() -> WorkflowBuilder:\n    return x\nask(make())", f"{BUILDER}()"),
        (f"{SDK}def make():\n    return WorkflowBuilder()\nask(make().build())", f"{BUILDER}().build()"),
        (f"{SDK}def f(w: WorkflowBuilder):\n    ask(w)", f"{BUILDER}()"),
        (f"{SDK}def f(w: 'WorkflowBuilder | None'):\n    ask(w)", f"{BUILDER}()"),
        (f"{SDK}with WorkflowBuilder() as w:\n    ask(w)", f"{BUILDER}()"),
        (f"{SDK}a, b = 1, WorkflowBuilder()\nask(b)", f"{BUILDER}()"),
        (f"{SDK}if (w := WorkflowBuilder()):\n    ask(w)", f"{BUILDER}()"),
        (
            f"{SDK}class A:\n    def __init__(self):\n        self.w = WorkflowBuilder()\n"
            "    def f(self):\n        ask(self.w)",
            f"{BUILDER}()",
        ),
        ("ask(unknown())", "builtins.unknown()"),
        (f"{SDK}def f(w: WorkflowBuilder | None = None):\n    w = w or WorkflowBuilder()\n    ask(w)", f"{BUILDER}()"),
        (f"{SDK}def f(w=None):\n    w = w or WorkflowBuilder()\n    ask(w)", ""),
        (f"{SDK}ask(WorkflowBuilder() if x else None)", f"{BUILDER}()"),
        (f"{SDK}ask(WorkflowBuilder() if x else WorkflowBuilder().build())", ""),
        (f"{SDK}ask(None or other())", "builtins.other()"),
    ],
)
def test_origins(text: str, origin: str) -> None:
    """Where values come from, through assignments, calls and annotations."""
    assert asked({"app.py": text}, "app.py")[1] == origin


def test_across_modules() -> None:
    """Re-exports, `import *`, relative imports, variables and functions of other modules."""
    files = {
        "shop/__init__.py": "from .flows import make as build_it, Builder\nfrom .more import *\n",
        "shop/flows.py": f"{SDK}Builder = WorkflowBuilder\ndef make():\n    return Builder()\nSHARED = Builder()\n",
        "shop/more.py": "from kailash.runtime.local import LocalRuntime\nRUN = LocalRuntime()\n",
        "a.py": "from shop import Builder\nask(Builder)",
        "b.py": "import shop\nask(shop.build_it())",
        "c.py": "from shop.flows import SHARED\nask(SHARED)",
        "d.py": "from shop import RUN\nask(RUN)",
        "e.py": "from shop import *\nask(LocalRuntime)",
    }
    assert asked(files, "a.py")[0] == BUILDER
    assert asked(files, "b.py")[1] == f"{BUILDER}()"
    assert asked(files, "c.py")[1] == f"{BUILDER}()"
    assert asked(files, "d.py")[1] == "kailash.runtime.local.LocalRuntime()"
    assert asked(files, "e.py")[0] == "kailash.runtime.local.LocalRuntime"


@pytest.mark.parametrize("stand_in", ["class Node: pass", "Node = object", "Node = None"])
def test_what_stands_in_for_a_failed_import(stand_in: str) -> None:
    """It is not what the name means, here or in a module that imports it: else no node of the file would be judged."""
    text = f"try:\n    from kailash.nodes.base import Node\nexcept ImportError:\n    {stand_in}\n"
    files = {
        "a.py": f"{text}ask(Node)",
        "b.py": f"{text}def f():\n    ask(Node)",
        "c.py": "from a import Node\nask(Node)",
    }
    assert {asked(files, path)[0] for path in files} == {"kailash.nodes.base.Node"}


def test_circles_end() -> None:
    """Modules that import one another, classes that inherit from one another, names assigned to themselves."""
    files = {
        "a.py": "from b import x\ny = y\nclass A(B): pass\nclass B(A): pass\nask(x)",
        "b.py": "from a import x\n",
    }
    assert set(asked(files, "a.py")) <= {"a.x", "b.x"}
    index = Index(summarize(source) for source in read(files).values())
    assert set(index.ancestors("a.A")) == {"a.A", "a.B"}
