# judged: GS14
from kailash.nodes.code.python import PythonCodeNode
from kailash.workflow.builder import WorkflowBuilder

flow = WorkflowBuilder()
# fine: GS14
flow.add_node("PythonCodeNode", "short", {"code": "result = 1"})
# fine: GS14
flow.add_node("PythonCodeNode", "three", {"code": "a = 1\nb = 2\nresult = a + b"})
# found: GS14
flow.add_node("PythonCodeNode", "five", {"code": "a = 1\nb = 2\nc = 3\nd = 4\nresult = a + b + c + d"})
# fine: GS14
flow.add_node("SQLDatabaseNode", "sql", {"code": "a = 1\nb = 2\nc = 3\nd = 4\nresult = a"})
# found: GS14
first = PythonCodeNode(name="first", code="a = 1\nb = 2\nc = 3\nd = 4\nresult = a")
# fine: GS14
second = PythonCodeNode(name="second", code="result = 2")


def total(a: int, b: int) -> int:
    """Add."""
    first_part = a
    second_part = b
    both = first_part + second_part
    return both


# fine: GS14
third = PythonCodeNode.from_function(total)
# found: GS14
LONG = "a = 1\nb = 2\nc = 3\nd = 4\nresult = a"; flow.add_node("PythonCodeNode", "long", {"code": LONG})
# fine: GS14
print("PythonCodeNode", {"code": "a\nb\nc\nd\ne"})
