# judged: GS12
from kailash.workflow.builder import WorkflowBuilder

flow = WorkflowBuilder()
# fine: GS12
flow.add_connection("a", "result", "b", "data")
# found: GS12
flow.add_connection("a", "b")
# found: GS12
flow.add_connection("a", "result", "b")
# fine: GS12
flow.add_connection(from_node="a", from_output="result", to_node="b", to_input="data")
# fine: GS12
flow.add_connection("a", "result", to_node="b", to_input="data")
# found: GS12
flow.add_connection("a", to_node="b")
parts = ["a", "result", "b", "data"]
# fine: GS12
flow.add_connection(*parts)


class Pool:
    def add_connection(self, connection):
        return connection


# fine: GS12
Pool().add_connection("a")


def extend(pool, builder: WorkflowBuilder):
    # found: GS12
    builder.add_connection("a", "b")
    # fine: GS12
    pool.add_connection("a", "b")


def make() -> WorkflowBuilder:
    return WorkflowBuilder()


# found: GS12
make().add_connection("a", "b")
