# judged: GS13
from kailash.nodes.base import Node, register_node

NAME = "StockNode"


@register_node()
class StockNode(Node):
    pass
