# judged: GS04, GS05
# from kailash-dataflow 2.20.1: dataflow/nodes/aggregate_operations.py, lines 11-13, 20, 81-90
from typing import Any, Dict, List, Optional, Union

from kailash.nodes.base import Node, NodeParameter, NodeRegistry
# found: GS04
class AggregateNode(Node):
    def run(self, **kwargs):
        """Execute the node's logic (Node ABC contract)."""
        return self.execute(**kwargs)

    # found: GS05
    def execute(self, **kwargs) -> Dict[str, Any]:
        """Execute aggregation operations."""
        data = kwargs.get("data", [])
        aggregate_expression = kwargs.get("aggregate_expression", "")
        group_by = kwargs.get("group_by", [])
        filter_expression = kwargs.get("filter_expression")
