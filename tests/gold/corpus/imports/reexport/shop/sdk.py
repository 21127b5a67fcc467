# judged: GS01, GS02, GS03
# fine: GS03
from kailash.workflow.builder import WorkflowBuilder
# fine: GS02
from kailash.nodes.base import Node

__all__ = ["Node", "WorkflowBuilder"]
