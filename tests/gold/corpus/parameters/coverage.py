# judged: SEC01
import datetime
from enum import Enum

from kailash.nodes.base import Node, NodeParameter, register_node
from kailash.nodes.governance import SecureGovernedNode


class Colour(Enum):
    RED = "red"


def validate_name(value):
    if not value.isalpha():
        raise ValueError("no name")
    return value


@register_node()
class OpenNode(SecureGovernedNode):
    def get_parameters(self):
        return {
            # found: SEC01
            "query": NodeParameter(name="query", type=str),
            # found: SEC01
            "items": NodeParameter(name="items", type=list),
            # found: SEC01
            "options": NodeParameter(name="options", type=dict, required=False),
            # fine: SEC01
            "limit": NodeParameter(name="limit", type=int),
            # fine: SEC01
            "rate": NodeParameter(name="rate", type=float),
            # fine: SEC01
            "strict": NodeParameter(name="strict", type=bool, default=True),
            # fine: SEC01
            "day": NodeParameter(name="day", type=datetime.date),
            # fine: SEC01
            "colour": NodeParameter(name="colour", type=Colour),
            # fine: SEC01
            "order": NodeParameter(name="order", type=str, choices=["asc", "desc"]),
        }

    def run_governed(self, **kwargs):
        return {"result": kwargs["query"]}


@register_node()
class CheckedNode(Node):
    def get_parameters(self):
        return {
            # fine: SEC01
            "name": NodeParameter(name="name", type=str),
            # found: SEC01
            "other": NodeParameter(name="other", type=str),
        }

    def run(self, **kwargs):
        name = validate_name(kwargs["name"])
        return {"result": name, "other": kwargs["other"]}


class Form:
    def get_parameters(self):
        # fine: SEC01
        return {"query": NodeParameter(name="query", type=str)}
