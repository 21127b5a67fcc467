# judged: GS07
from kailash.nodes.base import Node, NodeParameter, register_node
from kailash.nodes.base import NodeParameter as Parameter
import kailash.nodes.base as base

LIMIT = NodeParameter(name="limit", type=int)


def number(name):
    return NodeParameter(name=name, type=int)


@register_node()
class MixedNode(Node):
    def get_parameters(self):
        return {
            # found: GS07
            "a": {"type": str, "required": True},
            # found: GS07
            "b": str,
            # found: GS07
            "c": NodeParameter(type=str, required=False),
            # found: GS07
            "d": NodeParameter(name="d"),
            # found: GS07
            "e": Parameter(type=int),
            # found: GS07
            "f": base.NodeParameter(name="f", required=True),
            # fine: GS07
            "g": NodeParameter(name="g", type=str),
            # fine: GS07
            "h": Parameter(name="h", type=int, default=3),
            # fine: GS07
            "i": base.NodeParameter(type=int, name="i"),
            # fine: GS07
            "limit": LIMIT,
            # fine: GS07
            "count": number("count"),
        }

    def run(self, **kwargs):
        # fine: GS07
        return {"a": str, "b": {"type": str}}


@register_node()
class StepwiseNode(Node):
    def get_parameters(self):
        parameters = {}
        # fine: GS07
        parameters["x"] = NodeParameter(name="x", type=int)
        # found: GS07
        parameters["y"] = NodeParameter(name="y")
        # found: GS07
        parameters["z"] = "string"
        return parameters

    def run(self, **kwargs):
        return {"result": 1}


class Form:
    def get_parameters(self):
        # fine: GS07
        return {"a": str}
