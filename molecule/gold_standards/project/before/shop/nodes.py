"""Nodes of the shop: seven violations."""

from kailash.nodes.base import Node, NodeParameter, register_node


class FindNode(Node):
    """It is not registered, its base is no governed one, and its query is not validated."""

    def get_parameters(self) -> dict[str, NodeParameter]:
        """Declare the query."""
        return {"query": NodeParameter(name="query", type=str, validation_rules=["security"])}

    def run(self, **kwargs: object) -> dict[str, object]:
        """Return the query, and what nobody declared."""
        return {"query": kwargs["query"], "limit": kwargs["limit"]}


@register_node()
class CountNode(FindNode):
    """It overrides what validates, and sets an attribute too late."""

    def __init__(self, **kwargs: object) -> None:
        """Set the step."""
        super().__init__(**kwargs)
        self.step = 1

    def execute(self, **kwargs: object) -> dict[str, object]:
        """Return the step."""
        return {"step": self.step}
