# judged: GS19
from kailash.nodes.base import Node, register_node
from kailash.nodes.base import Node as Plain
from kailash.nodes.governance import EnterpriseNode, SecureGovernedNode


@register_node()
# found: GS19
class OpenNode(Node):
    pass


@register_node()
# found: GS19
class AliasedNode(Plain):
    pass


@register_node()
# fine: GS19
class ClosedNode(SecureGovernedNode):
    pass


@register_node()
# fine: GS19
class BoughtNode(EnterpriseNode):
    pass


# fine: GS19
class Catalogue:
    pass


@register_node()
# fine: GS19
class DerivedNode(ClosedNode):
    pass
