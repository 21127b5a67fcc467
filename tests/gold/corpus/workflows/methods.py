# judged: GS11, GS12
from functools import cached_property

from kailash.runtime.local import LocalRuntime
from kailash.workflow.builder import WorkflowBuilder


class Flows:
    def __init__(self):
        self.runtime = LocalRuntime()

    def make(self):
        flow = WorkflowBuilder()
        return flow

    def built(self):
        return self.make().build()

    @property
    def shop(self):
        return WorkflowBuilder()

    @cached_property
    def kept(self):
        return WorkflowBuilder()

    @classmethod
    def standard(cls):
        return WorkflowBuilder()

    def wrong(self):
        # found: GS11
        self.runtime.execute(self.make())
        # found: GS11
        self.runtime.execute(self.shop)
        # found: GS11
        self.kept.execute(self.runtime)
        # found: GS12
        self.make().add_connection("a", "b")

    @classmethod
    def wrong_too(cls):
        # found: GS11
        cls.standard().execute()

    def right(self):
        # fine: GS11
        self.runtime.execute(self.built())
        # fine: GS11
        self.runtime.execute(self.shop.build())
        # fine: GS12
        self.make().add_connection("a", "result", "b", "data")


class Own(Flows):
    def make(self):
        return WorkflowBuilder().build()

    def right(self):
        # fine: GS11
        self.runtime.execute(self.make())

    def wrong(self):
        # found: GS11
        self.shop.execute(LocalRuntime())


# found: GS11
Flows.standard().execute()
