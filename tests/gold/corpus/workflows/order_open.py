# judged: GS12
from kailash.workflow.builder import WorkflowBuilder


def build(names):
    flow = WorkflowBuilder()
    flow.add_node("CSVReaderNode", "data", {"file_path": "a.csv"})
    for name in names:
        flow.add_node("PriceNode", name, {})
    # fine: GS12
    flow.add_connection("first", "data", "data", "rows")
    return flow
