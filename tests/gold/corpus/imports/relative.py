# judged: GS01
# found: GS01
from . import settings
# found: GS01
from .orders import Order

try:
    # found: GS01
    from ..shared import money
except ImportError:
    money = None


def late():
    # found: GS01
    from .late import value

    return value, settings, Order


# fine: GS01
from decimal import Decimal

TEXT = """
from .orders import Order
"""
RATE = Decimal("1.19")
