# judged: GS09
from kailash.nodes.base import Node, NodeParameter, register_node


@register_node()
class ReservedNode(Node):
    def get_parameters(self):
        return {
            # found: GS09
            "_node_id": NodeParameter(name="_node_id", type=str),
            # fine: GS09
            "node_id": NodeParameter(name="node_id", type=str),
            # fine: GS09
            "node": NodeParameter(name="node", type=str, description="never _node_id"),
        }

    def run(self, **kwargs):
        # fine: GS09
        own = self.__dict__.get("_node_name")
        return {"result": own}


@register_node()
class BuiltReservedNode(Node):
    def get_parameters(self):
        found = {}
        # found: GS09
        found["_node_id"] = NodeParameter(name="_node_id", type=int)
        return found

    def run(self, **kwargs):
        return {"result": 1}


class Registry:
    def __init__(self):
        # fine: GS09
        self._node_id = 0
