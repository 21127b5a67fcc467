# judged: GS02
# found: GS02
from kailash import nodes

REGISTRY = nodes.NodeRegistry
