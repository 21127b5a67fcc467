# judged: GS02
# from kailash 2.65.0: kailash/runtime/testing.py, lines 548-557
def create_test_node(node_type: str = "MockNode", **config) -> Node:
    """Create a test node instance."""
    if node_type == "MockNode":
        return MockNode(**config)
    else:
        # Try to get from registry
        # found: GS02
        from kailash.nodes import NodeRegistry

        node_class = NodeRegistry.get(node_type)
        return node_class(**config)
