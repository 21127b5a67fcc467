# judged: GS06
from kailash.nodes.base import Node, NodeParameter, register_node


@register_node()
class EmptyNode(Node):
    # found: GS06
    def get_parameters(self): return {}

    def run(self, **kwargs):
        return {}


@register_node()
class EmptyCallNode(Node):
    # found: GS06
    def get_parameters(self): return dict()

    def run(self, **kwargs):
        return {}


@register_node()
# found: GS06
class UndeclaredNode(Node):
    def run(self, **kwargs):
        return {"result": 1}


@register_node()
class FullNode(Node):
    # fine: GS06
    def get_parameters(self):
        # fine: GS06
        return {"limit": NodeParameter(name="limit", type=int)}

    def run(self, **kwargs):
        # fine: GS06
        return {}


@register_node()
class BuiltNode(Node):
    # fine: GS06
    def get_parameters(self):
        parameters = {}
        parameters["limit"] = NodeParameter(name="limit", type=int)
        # fine: GS06
        return parameters

    def run(self, **kwargs):
        return {"result": 1}


@register_node()
class MergedNode(FullNode):
    def get_parameters(self):
        # fine: GS06
        return {**super().get_parameters(), "more": NodeParameter(name="more", type=int)}


@register_node()
# fine: GS06
class InheritedNode(FullNode):
    def run(self, **kwargs):
        return {"result": 2}


@register_node()
class HollowNode(Node):
    # found: GS06
    def get_parameters(self): hollow = {}; return hollow

    def run(self, **kwargs):
        return {"result": 3}


class Settings:
    # fine: GS06
    def get_parameters(self): return {}
