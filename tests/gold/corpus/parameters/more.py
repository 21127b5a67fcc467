# judged: SEC01, SEC02
from typing import Any

from kailash.nodes.base import NodeParameter as P, register_node
from kailash.nodes.base_async import AsyncNode
import kailash.nodes.base as base

PLAIN = P(name="plain", type=int)


@register_node()
class QueryNode(AsyncNode):
    def get_parameters(self):
        made = {}
        # found: SEC01
        made["query"] = P(name="query", type=str)
        # found: SEC01
        made["where"] = base.NodeParameter(name="where", type=Any)
        # fine: SEC01
        made["limit"] = base.NodeParameter(name="limit", type=int)
        # fine: SEC01
        made["plain"] = PLAIN
        # found: SEC01, SEC02
        made["rules"] = P(name="rules", type=str, validation_rules=["sql"])
        # found: SEC02
        made["count"] = P(name="count", type=int, validation_rules=["range"])
        return made

    async def async_run(self, **kwargs):
        return {"result": kwargs["query"]}
