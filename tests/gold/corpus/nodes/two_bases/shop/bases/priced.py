# judged: GS05, GS06
from abc import ABC

import shop.bases.root as roots
from kailash.nodes.base import NodeParameter


class PricedBaseNode(roots.RootNode, ABC):
    def get_parameters(self):
        return {"limit": NodeParameter(name="limit", type=int)}

    # fine: GS05
    def run_governed(self, **kwargs):
        return {"price": self.price(), "limit": kwargs["limit"]}
