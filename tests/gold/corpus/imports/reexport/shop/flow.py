# judged: GS01, GS02, GS03
# fine: GS03
from shop.sdk import WorkflowBuilder
# fine: GS02
from shop.sdk import Node


def make():
    return WorkflowBuilder(), Node
