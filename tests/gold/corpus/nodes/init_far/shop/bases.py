# judged: GS08
from kailash.nodes.base import Node


class RatedNode(Node):
    def __init__(self, rate, **kwargs):
        # fine: GS08
        self.rate = rate
        super().__init__(**kwargs)
