# judged: GS21
"""Methods with and without hints."""

from dataclasses import dataclass


@dataclass
class Order:
    """An order."""

    number: int

    # fine: GS21
    def total(self, rate: float) -> float:
        """Return the total."""
        return self.number * rate

    # found: GS21
    def rebate(self, rate):
        return self.number * rate

    @property
    # fine: GS21
    def label(self) -> str:
        """Return the label."""
        return str(self.number)

    @staticmethod
    # found: GS21
    def make(number):
        return Order(number)

    # fine: GS21
    def _hidden(self, x):
        return x


# fine: GS21
ADD = lambda a, b: a + b
