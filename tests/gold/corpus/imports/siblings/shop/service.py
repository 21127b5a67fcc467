# judged: GS01
# found: GS01
from contracts.order import OrderContract
# found: GS01
import stock
# fine: GS01
from shop.contracts.order import OrderContract as Absolute
# fine: GS01
from tools.report import write
# fine: GS01
import shop.stock as absolute_stock


def place():
    return OrderContract, stock, Absolute, write, absolute_stock
