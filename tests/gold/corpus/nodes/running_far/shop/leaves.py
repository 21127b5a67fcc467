# judged: GS05
from kailash.nodes.base import register_node

from shop import bases


@register_node()
# fine: GS05
class GoodNode(bases.RunningNode):
    def value(self):
        return 1


@register_node()
# found: GS05
class LazyNode(bases.IdleNode):
    def value(self):
        return 2


@register_node()
class OverNode(bases.RunningNode):
    # found: GS05
    def execute(self, **kwargs):
        return {"result": 3}
