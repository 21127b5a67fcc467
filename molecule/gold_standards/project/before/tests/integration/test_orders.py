"""Orders, on a service that is none: a violation."""

from unittest.mock import MagicMock


def test_orders() -> None:
    """A mock finds what it was given."""
    client = MagicMock()
    assert client.get("order")
