# judged: GS13
import networkx
from kailash.nodes.data.readers import CSVReaderNode
from kailash.workflow.builder import WorkflowBuilder

flow = WorkflowBuilder()
# fine: GS13
flow.add_node("CSVReaderNode", "reader", {"file_path": "x.csv"})
# found: GS13
flow.add_node(CSVReaderNode, "reader", {"file_path": "x.csv"})
# found: GS13
flow.add_node(CSVReaderNode(), "reader")
kind = "CSVWriterNode"
# fine: GS13
flow.add_node(kind, "writer", {})
# fine: GS13
flow.add_node(f"{kind}", "writer", {})
# fine: GS13
flow.add_node("A" if kind else "B", "either", {})


class OwnNode:
    pass


# fine: GS13
networkx.DiGraph().add_node(OwnNode)


def extend(builder: WorkflowBuilder, name: str):
    # fine: GS13
    builder.add_node(name, "named", {})
    # found: GS13
    builder.add_node(CSVReaderNode, "reader", {})
