# judged: GS04
try:
    from kailash.nodes.base import Node as Base
except ImportError:
    Base = object


# found: GS04
class ImportNode(Base):
    pass
