# judged: GS16
class MockupService:
    def render(self):
        return "a picture of a page"


def mock_orders():
    return ["drawing"]
