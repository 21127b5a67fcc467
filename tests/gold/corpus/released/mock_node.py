# judged: GS04, GS05, GS06, GS08
# from kailash 2.65.0: kailash/workflow/mock_registry.py, lines 3-6, 9-18, 29-35
from typing import Any

from kailash.nodes.base import Node, NodeRegistry
from kailash.sdk_exceptions import NodeConfigurationError
# found: GS04
class MockNode(Node):
    """Mock node for testing."""

    def __init__(
        self, node_id: str | None = None, name: str | None = None, **kwargs: Any
    ):
        """Initialize mock node."""
        super().__init__(**kwargs)
        # found: GS08
        self.node_id = node_id
        # found: GS08
        self.name = name or node_id
    # found: GS05
    def execute(self, **kwargs) -> dict[str, Any]:
        """Execute node with keyword arguments."""
        return self.process(kwargs)

    # found in: GS06
    def get_parameters(self) -> dict[str, Any]:
        """Get node parameters."""
        return {}
