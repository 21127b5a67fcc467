# judged: GS11
from kailash.workflow.builder import WorkflowBuilder


def stock():
    made = WorkflowBuilder()
    made.add_node("StockNode", "stock", {})
    return made


def declared() -> WorkflowBuilder:
    return stock()


def finished():
    made = WorkflowBuilder()
    return made.build()


class ShopBuilder(WorkflowBuilder):
    pass
