# judged: GS07, SEC01, SEC02, GS19, GS04
from governed import GovernedNode, SafeParameter
from kailash.nodes.base import NodeParameter, register_node


@register_node()
# fine: GS19, GS04
class FindProductNode(GovernedNode):
    """Finds products by a text."""

    def get_parameters(self) -> dict[str, NodeParameter]:
        return {
            # fine: GS07, SEC01
            "query": SafeParameter(name="query", type=str),
            # fine: GS07, SEC01, SEC02
            "table": SafeParameter(name="table", type=str, rules=["word"]),
            # fine: SEC01
            "limit": NodeParameter(name="limit", type=int, required=False, default=10),
            # found: SEC01
            "note": NodeParameter(name="note", type=str),
        }

    def run_governed(self, **kwargs) -> dict:
        return {"result": kwargs["query"]}


# found: GS04
class LostNode(GovernedNode):
    def get_parameters(self):
        # found: GS07
        return {"word": SafeParameter(name="word")}

    def run_governed(self, **kwargs):
        return {"result": 1}
