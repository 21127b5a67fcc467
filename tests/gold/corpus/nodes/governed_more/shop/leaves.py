# judged: GS19
from kailash.nodes.base import register_node

from shop.more import MoreClosedNode, MoreOpenNode


@register_node()
# found: GS19
class OpenLeafNode(MoreOpenNode):
    pass


@register_node()
# fine: GS19
class ClosedLeafNode(MoreClosedNode):
    pass
