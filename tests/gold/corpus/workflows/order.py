# judged: GS12
from kailash.workflow.builder import WorkflowBuilder

flow = WorkflowBuilder()
flow.add_node("CSVReaderNode", "read", {"file_path": "a.csv"})
flow.add_node("PriceNode", "price", {})
flow.add_node("FilterNode", "data", {})
# fine: GS12
flow.add_connection("read", "data", "price", "rows")
# found: GS12
flow.add_connection("read", "price", "result", "rows")
# found: GS12
flow.add_connection("result", "read", "rows", "price")
# found: GS12
flow.add_connection("read", "result", "rows", "price")
# fine: GS12
flow.add_connection("price", "result", "data", "data")
# fine: GS12
flow.add_connection("elsewhere", "result", "price", "rows")
# fine: GS12
flow.add_connection(from_node="read", to_node="price", from_output="data", to_input="rows")
