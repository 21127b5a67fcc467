# judged: GS10
from abc import ABC

from kailash.nodes.base import Node, NodeParameter


class LimitedNode(Node, ABC):
    def get_parameters(self):
        return {"limit": NodeParameter(name="limit", type=int)}
