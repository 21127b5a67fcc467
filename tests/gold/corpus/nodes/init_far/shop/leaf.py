# judged: GS08
from kailash.nodes.base import register_node

from shop.bases import RatedNode as Rated


@register_node()
class LeafNode(Rated):
    def __init__(self, rate, unit, **kwargs):
        # fine: GS08
        self.unit = unit
        super().__init__(rate, **kwargs)
        # found: GS08
        self.label = f"{rate} {unit}"


class Label(str):
    def __init__(self, text):
        super().__init__()
        # fine: GS08
        self.text = text
