# judged: GS10
from kailash.nodes.base import Node, NodeParameter, register_node


@register_node()
class ReadingNode(Node):
    def get_parameters(self):
        return {
            "price": NodeParameter(name="price", type=float),
            "count": NodeParameter(name="count", type=int),
        }

    def run(self, **kwargs):
        # fine: GS10
        price = kwargs["price"]
        # fine: GS10
        count = kwargs.get("count", 1)
        # found: GS10
        rebate = kwargs.get("rebate", 0)
        # found: GS10
        tax = kwargs["tax"]
        # found: GS10
        note = kwargs.pop("note", None)
        options = {"colour": "red"}
        # fine: GS10
        colour = options["colour"]
        # fine: GS10
        size = options.get("size")
        name = self.id
        # fine: GS10
        dynamic = kwargs.get(name)
        return {"result": (price, count, rebate, tax, note, colour, size, dynamic)}

    def helper(self, **kwargs):
        # fine: GS10
        return kwargs.get("elsewhere")


@register_node()
class InputsNode(Node):
    def get_parameters(self):
        parameters = {"price": NodeParameter(name="price", type=float)}
        parameters["count"] = NodeParameter(name="count", type=int)
        return parameters

    def run(self, **inputs):
        # found: GS10
        weight = inputs["weight"]
        # fine: GS10
        return {"result": (weight, inputs["count"], inputs.get("price"))}


@register_node()
class DynamicNode(Node):
    FIELDS = ("a", "b")

    def get_parameters(self):
        return {name: NodeParameter(name=name, type=int) for name in self.FIELDS + tuple(self.config)}

    def run(self, **kwargs):
        # fine: GS10
        return {"result": kwargs["c"]}


class Service:
    def run(self, **kwargs):
        # fine: GS10
        return kwargs["anything"]
