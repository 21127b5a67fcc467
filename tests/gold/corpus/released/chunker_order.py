# judged: GS08
# from kailash 2.65.0: kailash/nodes/transform/chunkers.py, lines 7, 83-84, 94-99, 101
from kailash.nodes.base import Node, NodeParameter, register_node
@register_node()
class SemanticChunkerNode(Node):
    def __init__(self, name: str = "semantic_chunker", **kwargs):
        # Set attributes before calling super().__init__() as Kailash validates during init
        # fine: GS08
        self.chunk_size = kwargs.get("chunk_size", 2000)
        self.chunk_overlap = kwargs.get("chunk_overlap", 200)
        self.similarity_threshold = kwargs.get("similarity_threshold", 0.75)
        self.window_size = kwargs.get("window_size", 3)  # Sentences to consider
        self.preserve_sentences = kwargs.get("preserve_sentences", True)
