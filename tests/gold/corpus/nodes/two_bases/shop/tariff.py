# judged: GS04, GS05, GS06, GS19
from kailash.nodes.base import register_node

from shop.bases import Priced


# found: GS04
class TariffNode(Priced):
    def price(self):
        return 1


@register_node()
# fine: GS04, GS05, GS06, GS19
class RebateNode(Priced):
    def price(self):
        return 2


@register_node()
class BrokenNode(Priced):
    def price(self):
        return 3

    # found: GS05
    def execute(self, **kwargs):
        return {}
