# judged: GS01, GS02
class Loader:
    def load(self):
        # found: GS02
        import kailash.nodes

        # found: GS01
        from .inner import depth

        return kailash.nodes, depth


def go():
    if True:
        # found: GS02
        from kailash.nodes import Node, NodeParameter
    return Node, NodeParameter
