# judged: GS05
from kailash.nodes.base import Node, register_node
from kailash.nodes.base_async import AsyncNode
from kailash.nodes.governance import SecureGovernedNode


@register_node()
class FirstNode(Node):
    # found: GS05
    def execute(self, **kwargs):
        return {"result": 1}

    def run(self, **kwargs):
        return self.execute(**kwargs)


@register_node()
class SecondNode(Node):
    # fine: GS05
    def run(self, **kwargs):
        # fine: GS05
        def execute(value):
            return value

        return {"result": execute(1)}

    # fine: GS05
    def execute_query(self, text):
        return text


@register_node()
class ThirdNode(AsyncNode):
    # fine: GS05
    async def async_run(self, **kwargs):
        return {"result": 3}


@register_node()
class FourthNode(AsyncNode):
    # found: GS05
    async def execute(self, **kwargs):
        return {"result": 4}

    async def async_run(self, **kwargs):
        return {"result": 4}


@register_node()
class FifthNode(SecureGovernedNode):
    # fine: GS05
    def run_governed(self, **kwargs):
        return {"result": 5}


@register_node()
# found: GS05
class SixthNode(Node):
    def get_parameters(self):
        return {}


@register_node()
class SeventhNode(Node):
    class Command:
        # fine: GS05
        def execute(self):
            return None

    def run(self, **kwargs):
        return {"result": self.Command().execute()}


class Importer:
    # fine: GS05
    def execute(self, statement):
        return statement
