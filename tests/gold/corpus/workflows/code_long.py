# judged: GS14
from kailash.workflow.builder import WorkflowBuilder

flow = WorkflowBuilder()
# found in: GS14
flow.add_node(
    "PythonCodeNode",
    "long",
    {
        "code": """
first = 1
second = 2
third = first + second
result = {"total": third}
"""
    },
)
# fine: GS14
flow.add_node("PythonCodeNode", "short", {"code": """
first = 1
result = {"total": first}
"""})


def extend(builder: WorkflowBuilder):
    # found: GS14
    builder.add_node("PythonCodeNode", "x", {"code": "import os\na = os.getpid()\nb = a\nc = b\nresult = c"})
