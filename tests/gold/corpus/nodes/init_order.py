# judged: GS08
from kailash.nodes.base import Node, register_node


@register_node()
class EarlyNode(Node):
    def __init__(self, rate, **kwargs):
        # fine: GS08
        self.rate = rate
        super().__init__(**kwargs)
        # fine: GS08
        total = rate * 2
        self.configure(total)


@register_node()
class LateNode(Node):
    def __init__(self, rate, **kwargs):
        super().__init__(**kwargs)
        # found: GS08
        self.rate = rate


@register_node()
class AnnotatedNode(Node):
    def __init__(self, rate, **kwargs):
        super().__init__(**kwargs)
        # found: GS08
        self.rate: float = rate


@register_node()
class PairNode(Node):
    def __init__(self, first, second, **kwargs):
        # fine: GS08
        self.name_of_first, self.name_of_second = "first", "second"
        super().__init__(**kwargs)
        # found: GS08
        self.first, self.second = first, second


@register_node()
class OldStyleNode(Node):
    def __init__(self, rate, **kwargs):
        if rate:
            # fine: GS08
            self.rate = rate
        super(OldStyleNode, self).__init__(**kwargs)
        if rate:
            # found: GS08
            self.doubled = rate * 2

    def configure(self, value):
        # fine: GS08
        self.value = value


class Plain:
    def __init__(self, rate):
        super().__init__()
        # fine: GS08
        self.rate = rate


@register_node()
class HelperNode(Node):
    class Cursor:
        def __init__(self):
            super().__init__()
            # fine: GS08
            self.place = 0

    def __init__(self, **kwargs):
        # fine: GS08
        self.cursor = self.Cursor()
        super().__init__(**kwargs)
