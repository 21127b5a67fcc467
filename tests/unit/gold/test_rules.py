"""Each rule finds its bad example and not its good one."""

from __future__ import annotations

import pytest
from ready.gold.model import Rule
from ready.gold.rules import BY_ID, RULES
from ready.gold.score import POINTS

from tests.unit.gold.goldfiles import found, judged

IDS = [rule.id for rule in RULES]


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_examples(rule: Rule) -> None:
    """The good one is one that the rule applies to."""
    bad = found(rule.bad, rule.id)
    assert bad, "the bad example has no finding"
    assert {item.split()[1].partition(".")[0] for item in bad} == {rule.id}
    good = judged(rule.good, rule.id)
    assert [item for its in good.values() for item in its.findings] == []
    assert sum(its.tallies[rule.id].compliant for its in good.values() if rule.id in its.tallies) > 0


@pytest.mark.parametrize("rule", RULES, ids=IDS)
def test_examples_say_what_to_do(rule: Rule) -> None:
    """Each finding has its three parts, and a rule its texts."""
    for its in judged(rule.bad, rule.id).values():
        assert all(item.found and item.expected and item.next for item in its.findings)
    assert rule.title[0].isupper()
    assert rule.severity in POINTS
    assert all((rule.source, rule.rationale, rule.bad, rule.good))


def test_ids_are_single() -> None:
    """Two rules of one id would be counted as one."""
    assert len(BY_ID) == len(RULES)


NODE = "from kailash.nodes.base import Node, NodeParameter, register_node\n"
FLOW = "from kailash.workflow.builder import WorkflowBuilder\nflow = WorkflowBuilder()\n"
RUNTIME = "from kailash.runtime.local import LocalRuntime\nruntime = LocalRuntime()\n"
DECLARES = (
    "@register_node()\nclass ANode(Node):\n    def get_parameters(self):\n"
    "        return {'n': NodeParameter(name='n', type=int)}\n"
)
TEMPLATE = [
    ("GS05.signature", f"{DECLARES}    def run(self, inputs):\n        return inputs\n"),
    ("GS11", f"{FLOW}{RUNTIME}runtime.execute_async(flow)\n"),
    ("GS13", f"{FLOW}flow.add_node('checker', 'PythonCodeNode', {{}})\n"),
    ("GS14", FLOW + "n = 1\nflow.add_node('PythonCodeNode', 'a', {'code': f'a = {n}\\nb = 2\\nc = 3\\nresult = a'})\n"),
    ("SEC02", "NodeParameter(name='n', type=int, min=1)\n"),
    # seen in public applications, and tried on the released SDK
    ("GS04.keyword", "@register_node(name='X', version='1')\nclass ANode(Node):\n    pass\n"),
    ("GS05.coroutine", "@register_node()\nclass ANode(Node):\n    async def run(self, **kwargs):\n        return {}\n"),
    (
        "GS07",
        "@register_node()\nclass ANode(Node):\n    def get_parameters(self):\n"
        "        return {'n': NodeParameter(name='n', type='int')}\n",
    ),
    (
        "SEC01",
        "@register_node()\nclass ANode(Node):\n    def get_parameters(self):\n"
        "        return {'password': NodeParameter(name='password', type=str)}\n"
        "    def run(self, **kwargs):\n        return {'ok': verify_password(kwargs['password'])}\n",
    ),
]


@pytest.mark.parametrize(("rule", "text"), TEMPLATE, ids=[rule for rule, _ in TEMPLATE])
def test_seen_in_public_applications(rule: str, text: str) -> None:
    """Each is found."""
    assert rule in {item.split()[1] for item in found({"app.py": NODE + text}, rule.partition(".")[0])}


def test_right_in_public_applications() -> None:
    """A validator that takes the whole mapping, and the name of another field."""
    text = (
        "@register_node()\nclass ANode(Node):\n    def get_parameters(self):\n"
        "        return {'query': NodeParameter(name='query', type=str)}\n"
        "    def run(self, inputs):\n        clean = validate_node_parameters(inputs, 'ANode')\n        return clean\n"
        "flow.add_workflow_inputs('signup', {'password': 'user_password'})\n"
    )
    assert found({"app.py": NODE + text}, "SEC01", "GS17") == []
    base = "class BaseNode(Node):\n    def run(self, **kwargs):\n        return self.work(kwargs)\n"
    inherits = "from base import BaseNode\n@register_node()\nclass BNode(BaseNode):\n    pass\n"
    files = {"base.py": NODE + base, "b.py": NODE + inherits}
    assert found(files, "GS04") == []
    assert found(files, "GS19") == ["base.py:2 GS19"]
    named = f"{DECLARES}    def run(self, n, more=1):\n        return {{'n': n + more}}\n"
    assert found({"app.py": NODE + named}, "GS05") == []


FLOW = (
    "from kailash.nodes.base import Node, register_node\nfrom kailash.nodes.data.readers import CSVReaderNode as C\n"
    "from kailash.runtime.local import LocalRuntime\nfrom kailash.workflow.builder import WorkflowBuilder\n"
)


@pytest.mark.parametrize(
    ("rule", "text", "fixed"),
    [
        ("GS01", "from .a import b", True),
        ("GS01", "from .a import (\n    b,\n)", False),
        ("GS03", "from kailash.workflow import WorkflowBuilder", True),
        ("GS03", "from kailash.workflow import WorkflowBuilder, Workflow", False),
        ("GS11", f"{FLOW}w = WorkflowBuilder()\nLocalRuntime().execute(w)", True),
        ("GS11", f"{FLOW}LocalRuntime().execute(WorkflowBuilder())", False),
        ("GS13", f"{FLOW}WorkflowBuilder().add_node(C, 'read', {{}})", True),
        (
            "GS13",
            f"{FLOW}@register_node('Find')\nclass FindNode(Node): ...\nWorkflowBuilder().add_node(FindNode, 'f')",
            False,
        ),
    ],
)
def test_what_is_fixed_is_said(rule: str, text: str, fixed: bool) -> None:
    """A message promises --fix where there is a fix, and there alone; a node that has another name has none."""
    its = judged({"shop/__init__.py": "", "shop/app.py": text}, rule)["shop/app.py"]
    assert [(bool(item.edits), item.message.endswith("; --fix does it")) for item in its.findings] == [(fixed, fixed)]
