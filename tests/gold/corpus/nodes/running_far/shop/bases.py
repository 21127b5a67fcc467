from kailash.nodes.base import Node


class RunningNode(Node):
    def run(self, **kwargs):
        return {"result": self.value()}


class IdleNode(Node):
    def value(self):
        return 0
