# judged: GS02, GS04, GS19
# from kailash 2.65.0: kailash/nodes/logic/intelligent_merge.py, lines 8-19, 35-38
from typing import Any, Dict, List, Optional, Union

# found: GS02
from kailash.nodes import Node, NodeParameter
# fine: GS02
from kailash.nodes.base import register_node

logger = logging.getLogger(__name__)


@register_node()
# found: GS19
class IntelligentMergeNode(Node):
    """Enhanced merge node with intelligent handling of conditional inputs.

"""

def get_parameters(self) -> Dict[str, NodeParameter]:
    """Define node parameters."""
