# judged: GS01
# found: GS01
from .service import place
# fine: GS01
from shop.contracts import Contract
