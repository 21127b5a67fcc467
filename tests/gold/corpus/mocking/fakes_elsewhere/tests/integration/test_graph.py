# judged: GS16
import neo4j

from shop.graph import Graph
from tests.support.fakes import FakeDriver


# found in: GS16
def test_imitated():
    graph = Graph(driver=FakeDriver())
    assert graph.names() == []


# fine: GS16
def test_real():
    # fine: GS16
    graph = Graph(driver=neo4j.GraphDatabase.driver("bolt://localhost"))
    assert graph.names() == []
