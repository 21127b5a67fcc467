from kailash.nodes.base import Node, NodeParameter


class LimitedNode(Node):
    def get_parameters(self):
        return {"limit": NodeParameter(name="limit", type=int)}


class PlainNode(Node):
    def run(self, **kwargs):
        return {"result": 1}
