# judged: GS21
"""Functions with and without hints."""


# found: GS21
def total(a, b):
    return a + b


# fine: GS21
def product(a: int, b: int) -> int:
    """Multiply."""
    return a * b


# found: GS21
def half_hinted(a: int, b) -> int:
    """Add."""
    return a + b


# found: GS21
def undescribed(a: int) -> int:
    return a


# fine: GS21
def _private(a, b):
    return a - b


# fine: GS21
def outer() -> int:
    """Return one."""

    # fine: GS21
    def inner(a):
        return a

    return inner(1)


# found: GS21
async def fetch(url):
    return url
