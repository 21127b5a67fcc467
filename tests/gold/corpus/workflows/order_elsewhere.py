# judged: GS12
from kailash.workflow.builder import WorkflowBuilder

from shop.parts import add_more


def build(flow: WorkflowBuilder) -> WorkflowBuilder:
    """The caller has added the node "orders" already."""
    flow.add_node("CSVReaderNode", "reader", {"file_path": "a.csv"})
    flow.add_node("PythonCodeNode", "result", {"code": "result = 1"})
    # fine: GS12
    flow.add_connection("reader", "result", "orders", "data")
    return flow


def whole() -> WorkflowBuilder:
    """A function of another module adds the node "orders"."""
    added = WorkflowBuilder()
    added.add_node("CSVReaderNode", "reader", {"file_path": "a.csv"})
    added.add_node("PythonCodeNode", "result", {"code": "result = 1"})
    add_more(added)
    # fine: GS12
    added.add_connection("reader", "result", "orders", "data")
    return added


def alone() -> WorkflowBuilder:
    """Nobody else adds nodes."""
    own = WorkflowBuilder()
    own.add_node("CSVReaderNode", "reader", {"file_path": "a.csv"})
    own.add_node("PythonCodeNode", "sum", {"code": "result = 1"})
    # found: GS12
    own.add_connection("reader", "sum", "result", "data")
    return own
