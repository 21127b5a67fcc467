from unittest.mock import MagicMock as Imitation

__all__ = ["Imitation"]
