# judged: GS04
import ast
from dataclasses import dataclass

from kailash.nodes.base import Node, register_node
from kailash.nodes import base
from kailash.nodes.base import register_node as enroll
from kailash.nodes.base_async import AsyncNode
from kailash.nodes.governance import SecureGovernedNode
import kailash.nodes.governance as gov
from neo4j.graph import Node as GraphNode


# found: GS04
class BareNode(Node):
    pass


# found in: GS04
@register_node
class UncalledNode(Node):
    pass


@register_node()
# fine: GS04
class PriceNode(Node):
    pass


@register_node("Prices")
# fine: GS04
class AliasNode(SecureGovernedNode):
    pass


@register_node(alias="Stock")
# fine: GS04
class KeywordNode(AsyncNode):
    pass


@base.register_node()
# fine: GS04
class ModuleNode(base.Node):
    pass


@enroll()
# fine: GS04
class RenamedNode(gov.SecureGovernedNode):
    pass


@register_node()
# found: GS04
class PriceCalculator(Node):
    pass


@dataclass
@register_node()
# fine: GS04
class StackedNode(Node):
    pass


@dataclass
# found: GS04
class OtherDecoratorNode(base.Node):
    pass


# found: GS04
class AsyncFetchNode(AsyncNode):
    pass


# found: GS04
class GovernedByModuleNode(gov.SecureGovernedNode):
    pass


# fine: GS04
class TreeNode:
    pass


# fine: GS04
class LeafNode(TreeNode):
    pass


# fine: GS04
class CountNode(ast.NodeVisitor):
    pass


# fine: GS04
class PersonNode(GraphNode):
    pass


class Outer:
    # found: GS04
    class InnerNode(Node):
        pass

    @register_node()
    # fine: GS04
    class RegisteredInnerNode(Node):
        pass


def factory():
    # found: GS04
    class LocalNode(Node):
        pass

    return LocalNode
