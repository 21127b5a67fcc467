# judged: GS04, GS06
# from kailash-dataflow 2.20.1: dataflow/nodes/transaction_nodes.py, lines 17, 25-26, 182-183, 187-194
from typing import Any, Dict, Optional
from kailash.nodes.base import NodeParameter
from kailash.nodes.base_async import AsyncNode
# found: GS04
class TransactionCommitNode(AsyncNode):
    """Node that commits the active database transaction.
    """

    def __init__(self, **kwargs):
        super().__init__(**kwargs)

    # found in: GS06
    def get_parameters(self) -> Dict[str, NodeParameter]:
        """Define parameters for transaction commit."""
        return {}
