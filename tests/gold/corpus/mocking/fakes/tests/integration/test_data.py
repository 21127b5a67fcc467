# judged: GS16
from dataclasses import dataclass

from shop.cache import Cache


# fine: GS16
@dataclass
class FakeCustomer:
    name: str = "Erika Mustermann"


def test_customer():
    # fine: GS16
    assert Cache().put("customer", FakeCustomer().name) is None
