"""Nodes for the Kailash SDK whose parameters are really validated.

>>> from governed import GovernedNode, SafeParameter
"""

from governed.nodes import GovernedNode
from governed.parameters import SafeParameter
from governed.rules import RULES, InjectionError

__all__ = ["RULES", "GovernedNode", "InjectionError", "SafeParameter"]
