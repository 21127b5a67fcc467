# judged: GS04, GS05, GS06, GS19
class Node:
    """A node of a linked list: not the SDK's."""

    def __init__(self, value):
        self.value = value


# fine: GS04, GS05, GS06
class ListNode(Node):
    def execute(self):
        return self.value


# fine: GS04
class Linked(Node):
    pass
