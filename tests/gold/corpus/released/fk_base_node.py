# judged: GS04, GS05, GS06
# from kailash-dataflow 2.20.1: dataflow/migrations/fk_aware_nodes.py, lines 37-46, 49, 68-70
# Core SDK base classes (conceptual - would import from actual SDK)
# fine: GS04
class BaseNode:
    """Base class for all Core SDK nodes."""

    def __init__(self, node_id: Optional[str] = None):
        self.node_id = node_id or str(uuid.uuid4())
        self.logger = logging.getLogger(f"{self.__class__.__name__}")

    # fine: GS05
    async def execute(self, **kwargs) -> Dict[str, Any]:
        """Public API for node execution with validation."""

    # fine: GS06
    def get_parameters(self) -> Dict[str, Dict[str, Any]]:
        """Get parameter definitions for workflow builder."""
        return {}
