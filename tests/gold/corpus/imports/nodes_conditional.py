# judged: GS02
try:
    # found: GS02
    from kailash.nodes import Node as Base
except ImportError:
    Base = object
else:
    # fine: GS02
    from kailash.nodes.base import NodeParameter
