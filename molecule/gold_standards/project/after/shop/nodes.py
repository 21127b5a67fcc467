"""Nodes of the shop."""

from governed import GovernedNode, SafeParameter
from kailash.nodes.base import NodeParameter, register_node


@register_node()
class FindNode(GovernedNode):
    """Finds what a query says."""

    def get_parameters(self) -> dict[str, NodeParameter]:
        """Declare query and limit."""
        return {
            "query": SafeParameter(name="query", type=str),
            "limit": NodeParameter(name="limit", type=int, required=False, default=10),
        }

    def run_governed(self, **kwargs: object) -> dict[str, object]:
        """Return both."""
        return {"query": kwargs["query"], "limit": kwargs["limit"]}


@register_node()
class CountNode(FindNode):
    """Counts by a step."""

    def __init__(self, **kwargs: object) -> None:
        """Set the step."""
        self.step = 1
        super().__init__(**kwargs)

    def run_governed(self, **kwargs: object) -> dict[str, object]:
        """Return the step."""
        return {"step": self.step}
