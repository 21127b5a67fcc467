# judged: GS13
from kailash.workflow.builder import WorkflowBuilder

from shop import nodes
from shop.nodes import NAME, StockNode


class Flow:
    def __init__(self):
        self.builder = WorkflowBuilder()

    def fill(self):
        # found: GS13
        self.builder.add_node(StockNode, "stock", {})
        # found: GS13
        self.builder.add_node(nodes.StockNode, "stock", {})
        # fine: GS13
        self.builder.add_node(NAME, "stock", {})
        # fine: GS13
        self.builder.add_node(StockNode.__name__, "stock", {})
