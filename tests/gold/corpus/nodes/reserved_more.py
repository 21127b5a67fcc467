# judged: GS09
import kailash.nodes.base as base
from kailash.nodes.base_async import AsyncNode
from kailash.nodes.base import NodeParameter as P, register_node


@register_node()
class OneNode(AsyncNode):
    def get_parameters(self):
        # found: GS09
        return {"_node_id": base.NodeParameter(name="_node_id", type=str)}


@register_node()
class TwoNode(AsyncNode):
    def get_parameters(self):
        # found: GS09
        return {"_node_id": P(name="_node_id", type=str)}
