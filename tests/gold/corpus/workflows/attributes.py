# judged: GS11
from kailash.runtime.local import LocalRuntime
from kailash.workflow.builder import WorkflowBuilder


class Service:
    def __init__(self):
        self.runtime = LocalRuntime()
        self.builder = WorkflowBuilder()
        self.built = self.builder.build()

    def wrong(self):
        # found: GS11
        return self.runtime.execute(self.builder)

    def backwards(self):
        # found: GS11
        return self.builder.execute(self.runtime)

    def right(self):
        # fine: GS11
        return self.runtime.execute(self.builder.build())

    def kept(self):
        # fine: GS11
        return self.runtime.execute(self.built)


class Other:
    def __init__(self, builder, runtime):
        self.builder = builder
        self.runtime = runtime

    def unknown(self):
        # fine: GS11
        return self.runtime.execute(self.builder)
