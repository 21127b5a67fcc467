# judged: GS20
from kailash.workflow.builder import WorkflowBuilder as Builder


class Loop:
    def __init__(self):
        self.builder = Builder()
        self.workflow = self.builder.build()

    def wrong(self):
        # found: GS20
        return self.builder.create_cycle("x").connect("a", "b", {"r": "d"}).max_iterations(2).build()

    def right(self):
        # fine: GS20
        return self.workflow.create_cycle("x").connect("a", "b", {"r": "d"}).max_iterations(2).build()


def make() -> Builder:
    return Builder()


# found: GS20
make().create_cycle("x").connect("a", "b", {"r": "d"}).max_iterations(2).build()
with_name = make()
# found: GS20
cycle = with_name.create_cycle("x")
