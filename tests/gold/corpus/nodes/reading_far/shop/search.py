# judged: GS10
from kailash.nodes.base import NodeParameter, register_node
from shop.common import LimitedNode


@register_node()
class SearchNode(LimitedNode):
    def get_parameters(self):
        return {**super().get_parameters(), "page": NodeParameter(name="page", type=int)}

    def run(self, **kwargs):
        # fine: GS10
        start = kwargs["page"] * kwargs["limit"]
        return {"result": start}


@register_node()
class UpdatedNode(LimitedNode):
    def get_parameters(self):
        parameters = super().get_parameters()
        parameters.update({"page": NodeParameter(name="page", type=int)})
        return parameters

    def run(self, **kwargs):
        # fine: GS10
        return {"result": kwargs["page"] + kwargs["limit"]}


@register_node()
class InheritingNode(LimitedNode):
    def run(self, **kwargs):
        # fine: GS10
        limit = kwargs["limit"]
        # found: GS10
        return {"result": kwargs["page"] * limit}
