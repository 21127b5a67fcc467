# judged: SEC01
from enum import StrEnum

from governed import SafeParameter


class Size(StrEnum):
    SMALL = "s"


class ShopParameter(SafeParameter):
    pass
