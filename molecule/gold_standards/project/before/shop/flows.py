"""Workflows of the shop: five violations."""

from kailash.nodes import *
from kailash.runtime.local import LocalRuntime
from kailash.workflow import WorkflowBuilder

flow = WorkflowBuilder()
flow.add_node("PythonCodeNode", "price", {"code": "net = 10\ntax = net * 0.19\ngross = net + tax\nresult = gross"})
flow.add_node("PythonCodeNode", "label", {"code": "result = str(price)"})
flow.add_connection("price", "label")
with LocalRuntime() as runtime:
    results, run_id = runtime.execute(flow)
