# judged: GS04, GS05, GS06
from abc import ABC, abstractmethod

from kailash.nodes.governance import SecureGovernedNode


# fine: GS04
class RootNode(SecureGovernedNode, ABC):
    @abstractmethod
    def price(self):
        """Return the price."""
