# judged: GS16
from shop.graph import Graph
from tests.support.fakes import FakeDriver


# fine: GS16
def test_imitated():
    # fine: GS16
    graph = Graph(driver=FakeDriver())
    assert graph.names() == []
