"""Workflows of the shop."""

from kailash.nodes.code.python import PythonCodeNode
from kailash.runtime.local import LocalRuntime
from kailash.workflow.builder import WorkflowBuilder


def gross(net: float) -> float:
    """Return a price with tax."""
    return net * 1.19


flow = WorkflowBuilder()
flow.add_node_instance(PythonCodeNode.from_function(gross, name="price"), "price")
flow.add_node("PythonCodeNode", "label", {"code": "result = str(price)"})
flow.add_connection("price", "result", "label", "price")
with LocalRuntime() as runtime:
    results, run_id = runtime.execute(flow.build())
