# judged: GS02
# found: GS02
from kailash.nodes import *
# found: GS02
from kailash.nodes import CSVReaderNode
# found: GS02
import kailash.nodes
# found: GS02
import kailash.nodes as kn
# fine: GS02
from kailash.nodes.base import Node, register_node
# fine: GS02
import kailash.nodes.base
# fine: GS02
from kailash.nodes.data.readers import JSONReaderNode
# fine: GS02
from kailash.nodes.governance import SecureGovernedNode
# fine: GS02
from shop.nodes import StockNode
# fine: GS02
from kailash_extra.nodes import ExtraNode

# fine: GS02
HELP = "from kailash.nodes import *"


def lazy():
    # found: GS02
    from kailash.nodes import NodeRegistry

    return NodeRegistry
