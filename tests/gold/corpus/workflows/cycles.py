# judged: GS20
from kailash.workflow.builder import WorkflowBuilder
from kailash.workflow.graph import Workflow

builder = WorkflowBuilder()
# found: GS20
builder.create_cycle("loop").connect("a", "b", {"result": "data"}).max_iterations(3).build()
workflow = builder.build()
# fine: GS20
workflow.create_cycle("loop").connect("a", "b", {"result": "data"}).max_iterations(3).build()
# fine: GS20
builder.build().create_cycle("loop").connect("a", "b", {"result": "data"}).max_iterations(3).build()


def passed(flow: Workflow):
    # fine: GS20
    flow.create_cycle("loop").connect("a", "b", {"result": "data"}).max_iterations(3).build()


def raw(flow: WorkflowBuilder):
    # found: GS20
    flow.create_cycle("loop").connect("a", "b", {"result": "data"}).max_iterations(3).build()


class Wheel:
    def create_cycle(self, name):
        return name


# fine: GS20
Wheel().create_cycle("loop")
