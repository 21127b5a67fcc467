# judged: GS01
# fine: GS01
from shop.contracts.order import OrderContract as Contract

__all__ = ["Contract"]
