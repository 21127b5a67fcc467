# judged: SEC02
import kailash.nodes.base as base
from governed import SafeParameter
from kailash.nodes.base import NodeParameter
from kailash.nodes.base import NodeParameter as P


class Thin(NodeParameter):
    pass


class Ruled(NodeParameter):
    validation_rules: list[str] = []

    def check(self, value):
        return [rule for rule in self.validation_rules if rule in value]


def form(name, validation_rules=()):
    return name, validation_rules


# found: SEC02
a = NodeParameter(name="a", type=str, validation_rules=["security", "sanitization"])
# found: SEC02
b = P(name="b", type=str, validation_rules=["sql"])
# found: SEC02
c = base.NodeParameter(name="c", type=str, validation_rules=[])
# found: SEC02
d = Thin(name="d", type=str, validation_rules=["sql"])
# fine: SEC02
e = Ruled(name="e", type=str, validation_rules=["sql"])
# fine: SEC02
f = SafeParameter(name="f", type=str, rules=["word"])
# fine: SEC02
g = form("g", validation_rules=["sql"])
# fine: SEC02
h = {"validation_rules": ["sql"]}
# fine: SEC02
i = NodeParameter(name="validation_rules", type=dict)
