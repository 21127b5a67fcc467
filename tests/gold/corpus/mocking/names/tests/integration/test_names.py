# judged: GS16
from shop.birds import MockingbirdRepository
from shop.diffs import patch
from shop.mockups import MockupService, mock_orders


# fine: GS16
class HammockMockupCase:
    # fine: GS16
    def test_render(self):
        # fine: GS16
        assert MockupService().render()


def test_birds():
    # fine: GS16
    repository = MockingbirdRepository()
    assert repository.all()


def test_patch():
    # fine: GS16
    assert patch("a", "b")


def test_mock_mode_is_off():
    # fine: GS16
    responses = mock_orders()
    # fine: GS16
    assert responses
