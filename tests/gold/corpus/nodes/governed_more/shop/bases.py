from kailash.nodes.base import Node
from kailash.nodes.governance import SecureGovernedNode as Secure


class OpenBaseNode(Node):
    pass


class ClosedBaseNode(Secure):
    pass
