# judged: GS04
# from kailash 2.65.0: kailash/nodes/transaction/distributed_transaction_manager.py, lines 59, 180-181 (a line of context is ours)
from kailash.nodes.base_async import AsyncNode
from kailash.nodes.base import register_node
@register_node("DistributedTransactionManagerNode")
# fine: GS04
class DistributedTransactionManagerNode(AsyncNode):
    pass
