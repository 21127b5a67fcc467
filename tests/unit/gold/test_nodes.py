"""Custom nodes and their parameters, in shapes that real code has."""

from __future__ import annotations

import pytest

from tests.unit.gold.goldfiles import found

SDK = "from kailash.nodes.base import Node, NodeParameter, register_node\n"
CLASS = SDK + "@register_node()\nclass PriceNode(Node):\n"
P = "NodeParameter(name='a', type=int)"


def rules(text: str, *chosen: str) -> list[str]:
    """Return the rules of the findings of a text."""
    return [item.split()[1].partition(".")[0] for item in found({"app.py": text}, *chosen)]


@pytest.mark.parametrize(
    "text",
    [
        "import sys\nif sys.version_info > (3,):\n    from kailash.nodes.base import Node as B\nelse:\n    B = None\n",
        "try:\n    from kailash.nodes.base_async import AsyncNode as B\nexcept ImportError:\n    class B: pass\n",
    ],
)
def test_bases_that_are_bound_twice(text: str) -> None:
    """A class is a node if one of its bases may be one."""
    assert rules(text + "class PriceNode(B):\n    pass\n", "GS04") == ["GS04"]


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        ("return dict()", True),
        ("found: dict = {}\n        return found", True),
        ("found = dict()\n        return {**found}", True),
        ("return self.NONE", True),
        ("found = {}\n        found |= {'a': 1}\n        return found", False),
        ("found = {}\n        found.setdefault('a', x)\n        return found", False),
        ("found = {}\n        fill(found)\n        return found", False),
        ("found = {}\n        for n in names:\n            found[n] = 1\n        return found", False),
        ("return self.SOME", False),
        ("return self.config", False),
        ("return {**super().get_parameters()}", False),
        ("def empty():\n            return {}\n        return {'a': empty}", False),
    ],
)
def test_declared_nothing(body: str, wrong: bool) -> None:
    """What is empty may be kept in a variable, and what is in a variable may be filled."""
    text = f"{CLASS}    NONE = {{}}\n    SOME = {{'a': 1}}\n    def get_parameters(self):\n        {body}\n"
    assert bool(rules(text, "GS06")) == wrong


@pytest.mark.parametrize(
    ("body", "wrong"),
    [
        (f"return {{'a': {P}}} | {{'b': {P}}}", False),
        (f"return dict(a={P}, b={P})", False),
        (f"found = {{}}\n        found.update(a={P})\n        found['b'] = {P}\n        return found", False),
        (f"found = {{'a': {P}}}\n        found |= dict(b={P})\n        return found", False),
        (f"found = {{}}\n        found[name] = {P}\n        return found", False),
        (f"return {{'a': {P}}} | {{'c': {P}}}", True),
        (f"return dict(a={P})", True),
        (f"found = dict(a={P})\n        found.setdefault('c', {P})\n        return found.copy()", True),
        ("return {**self.SHARED}", True),
    ],
)
def test_read_and_not_declared(body: str, wrong: bool) -> None:
    """Each spelling declares, and what can't be seen is no violation."""
    text = (
        f"{CLASS}    SHARED = {{'a': {P}}}\n    def get_parameters(self):\n        {body}\n"
        "    def run(self, **kw):\n        return kw['a'] + kw.get('b', 1)\n"
    )
    assert bool(rules(text, "GS10")) == wrong


def test_parameters_of_a_grandparent() -> None:
    """A class in between that adds one, and one that adds none."""
    files = {
        "shop/__init__.py": "",
        "shop/base.py": f"{CLASS}    def get_parameters(self):\n        return {{'a': {P}}}\n",
        "shop/mid.py": "from shop.base import PriceNode\nclass MidNode(PriceNode):\n    def get_parameters(self):\n"
        f"        return super().get_parameters() | {{'b': {P}}}\nclass LowNode(MidNode): pass\n",
        "shop/top.py": "from kailash.nodes.base import register_node\nfrom shop.mid import LowNode\n@register_node()\n"
        "class TopNode(LowNode):\n    def run(self, **kwargs):\n        x = kwargs['a'] + kwargs['b']\n"
        "        return x + kwargs['c']\n",
    }
    assert found(files, "GS10") == ["shop/top.py:7 GS10"]


@pytest.mark.parametrize(
    ("body", "count"),
    [
        ("found = {}\n        found.update(a='text')\n        return found", 1),
        ("found = {}\n        found.setdefault('a', str)\n        return found", 1),
        ("found = dict(a=NodeParameter(name='a'))\n        return found", 1),
        ("made = NodeParameter(name='a', type=int)\n        return dict(a=made)", 0),
    ],
)
def test_types_of_parameters(body: str, count: int) -> None:
    """What a dictionary gets later is a parameter too."""
    assert len(rules(f"{CLASS}    def get_parameters(self):\n        {body}\n", "GS07")) == count


@pytest.mark.parametrize(
    ("line", "count"),
    [
        ("self.a, (self.b, *self.c) = x", 3),
        ("for self.a in x:\n            pass", 1),
        ("with open(x) as self.a:\n            self.b = 1", 2),
        ("try:\n            self.a = 1\n        finally:\n            pass", 1),
        ("def later():\n            self.a = 1", 0),
        ("other.a = 1", 0),
        ("self.a: int", 0),
        ("self.a['x'] = 1", 0),
    ],
)
def test_attributes_set_late(line: str, count: int) -> None:
    """Within blocks and tuples too."""
    text = f"{CLASS}    def __init__(self, **kwargs):\n        super().__init__(**kwargs)\n        {line}\n"
    assert len(rules(text, "GS08")) == count


def test_bases_of_the_sdk_itself() -> None:
    """They are what nodes inherit from; a class of that name elsewhere is none."""
    text = SDK + "class CycleAwareNode(Node):\n    pass\n"
    files = {"kailash/__init__.py": "", "kailash/nodes/__init__.py": "", "kailash/nodes/base_cycle_aware.py": text}
    assert found(files, "GS04") == []
    assert rules(text, "GS04") == ["GS04"]
