# judged: GS16
import unittest
from unittest.mock import patch
from mock import Mock as Imitation


class OrdersTest(unittest.TestCase):
    # found: GS16
    @patch("shop.orders.client")
    # found: GS16
    @patch.object(dict, "get", create=True)
    def test_both(self, get, client):
        self.assertTrue(client)

    # fine: GS16
    def test_real(self):
        self.assertEqual(1, 1)

    def test_backport(self):
        # found: GS16
        self.client = Imitation()


# found: GS16
@patch.multiple("shop.orders", client=None)
class MoreOrdersTest(unittest.TestCase):
    def test_more(self):
        self.assertEqual(1, 1)
