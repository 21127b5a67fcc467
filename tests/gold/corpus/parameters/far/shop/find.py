# judged: SEC01
from governed import GovernedNode
from governed.parameters import SafeParameter as Safe
from kailash.nodes.base import NodeParameter, register_node

from shop import kinds
from shop.kinds import ShopParameter, Size


@register_node()
class FindNode(GovernedNode):
    def get_parameters(self):
        return {
            # fine: SEC01
            "size": NodeParameter(name="size", type=Size),
            # fine: SEC01
            "other": NodeParameter(name="other", type=kinds.Size),
            # fine: SEC01
            "text": Safe(name="text", type=str),
            # fine: SEC01
            "more": ShopParameter(name="more", type=str),
            # found: SEC01
            "raw": NodeParameter(name="raw", type=str),
        }

    def run_governed(self, **kwargs):
        return {"result": kwargs["text"]}
