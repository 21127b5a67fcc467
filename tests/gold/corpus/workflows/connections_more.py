# judged: GS12
from kailash.workflow import builder


class Flow:
    def __init__(self):
        self.flow = builder.WorkflowBuilder()

    def fill(self):
        # found: GS12
        self.flow.add_connection("a", "b", "data")
        # fine: GS12
        self.flow.add_connection("a", "result", "b", "data")
        return self


def deep():
    def inner():
        flow = builder.WorkflowBuilder()
        # found: GS12
        flow.add_connection("a", "b")
        return flow

    # found: GS12
    inner().add_connection("b", "c")
