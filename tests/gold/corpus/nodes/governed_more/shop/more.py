from shop import bases


class MoreOpenNode(bases.OpenBaseNode):
    pass


class MoreClosedNode(bases.ClosedBaseNode):
    pass
