# judged: GS06
from kailash.nodes.base import register_node

from shop.bases import LimitedNode, PlainNode


@register_node()
# fine: GS06
class GoodNode(LimitedNode):
    def run(self, **kwargs):
        return {"result": kwargs["limit"]}


@register_node()
# found: GS06
class MissingNode(PlainNode):
    pass


@register_node()
class ErasedNode(LimitedNode):
    # found: GS06
    def get_parameters(self): return {}


@register_node()
class BranchNode(LimitedNode):
    # found in: GS06
    def get_parameters(self):
        if self.config:
            return {}
        return super().get_parameters()
