# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Neo4j's workload: nodes with two relationships each, parameterised queries over an index that is proven in use.

Label, type and properties are those of the health check: names stay known to the store, so there are as few as can be.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Mapping
from functools import cache
from typing import Any

import neo4j

from ...checks.probe import LEFTOVER_SECONDS, CheckError, expect
from ...latency.workload import FIXTURE_SECONDS, SIZE, Operation, Workload, questions
from .probe import Neo4jProbe

INDEX, GROUPS = "ready_probe", 10
#: Community Edition has this one; named, so that the driver need not ask which it is.
_DATABASE = "neo4j"
#: Node n leads to n + 1 and to 7 n + 3, modulo the size. To find the ends in a list is half the work of finding them by
#: the index.
_GRAPH = """
UNWIND range(0, $size - 1) AS n CREATE (a:ReadyProbe {run: $run, at: $at, n: n, group: n % $groups})
WITH collect(a) AS nodes UNWIND nodes AS a
WITH a, nodes[(a.n + 1) % $size] AS b, nodes[(a.n * 7 + 3) % $size] AS c
CREATE (a)-[:READY_PROBE]->(b), (a)-[:READY_PROBE]->(c)
"""
_TRAVERSAL = "MATCH (:ReadyProbe {run: $run, n: $n})-[:READY_PROBE*2]->(c) RETURN DISTINCT c.n AS n ORDER BY n"
_PATTERN = """
MATCH (a:ReadyProbe {run: $run, n: $n})-[:READY_PROBE*1..4]->(b)<-[:READY_PROBE]-(c)
WHERE b.group <> a.group AND c <> a
RETURN b.group AS g, count(DISTINCT b) AS ends, count(DISTINCT c) AS others ORDER BY g
"""
_OLD = "MATCH (n:ReadyProbe) WHERE n.at < $old CALL { WITH n DETACH DELETE n } IN TRANSACTIONS OF 2000 ROWS"
_OWN = "MATCH (n:ReadyProbe {run: $run}) DETACH DELETE n"
_OTHERS = "MATCH (n:ReadyProbe) WHERE n.group IS NOT NULL RETURN count(n)"


def after(node: int) -> tuple[int, int]:
    """Return the nodes that a node leads to."""
    return (node + 1) % SIZE, (node * 7 + 3) % SIZE


@cache
def before() -> dict[int, list[int]]:
    """Return node -> the nodes that lead to it."""
    found: dict[int, list[int]] = {}
    for node in range(SIZE):
        for end in after(node):
            found.setdefault(end, []).append(node)
    return found


def two_steps(node: int) -> list[int]:
    """Return the nodes that are two steps from a node."""
    return sorted({end for middle in after(node) for end in after(middle)})


def pattern(node: int) -> list[list[int]]:
    """Return what the complex pattern must find: [group, ends, others that lead there]."""
    paths: list[tuple[tuple[int, int, int], ...]] = [()]
    groups: dict[int, tuple[set[int], set[int]]] = {}
    for _ in range(4):
        longer = []
        for path in paths:
            last = path[-1][1] if path else node
            # A path walks a relationship once; the two of a node may lead to the same one, so they are numbered.
            steps = [(last, end, number) for number, end in enumerate(after(last))]
            longer += [(*path, step) for step in steps if step not in path]
        paths = longer
        for path in paths:
            end = path[-1][1]
            for other in before()[end]:
                unwalked = [
                    number for number, at in enumerate(after(other)) if at == end and (other, end, number) not in path
                ]
                if unwalked and other != node and end % GROUPS != node % GROUPS:
                    its_ends, others = groups.setdefault(end % GROUPS, (set(), set()))
                    its_ends.add(end)
                    others.add(other)
    return [[group, len(its[0]), len(its[1])] for group, its in sorted(groups.items())]


def uses_index(plan: Mapping[str, Any]) -> bool:
    """Return whether an EXPLAINed plan seeks in our index anywhere."""
    here = "IndexSeek" in plan["operatorType"] and "ReadyProbe" in str(plan.get("args", {}).get("Details", ""))
    return here or any(uses_index(child) for child in plan.get("children", []))


class Neo4jWorkload(Workload):
    """Operations: `traversal` (two steps from an indexed node), `complex_pattern` (up to four, and back)."""

    size = f"{SIZE} nodes, {2 * SIZE} relationships"

    def __init__(self, probe: Neo4jProbe) -> None:
        super().__init__(probe)
        self.probe = probe
        self.run = uuid.uuid4().hex
        self.driver: neo4j.Driver | None = None

    def _ask(self, session: neo4j.Session, text: str, **parameters: Any) -> list[list[Any]]:
        query = neo4j.Query(text, timeout=self.timeout)
        return [record.values() for record in session.run(query, parameters)]

    def _do(self, session: neo4j.Session, text: str, **parameters: Any) -> None:
        """Make a step of building or removing the fixture."""
        session.run(neo4j.Query(text, timeout=FIXTURE_SECONDS), parameters).consume()

    def open(self) -> None:
        """Open the kept session; its first query connects."""
        self.driver = self.probe.connect("app")
        self.session = self.driver.session(database=_DATABASE)
        self.round_trip()

    def close(self) -> None:
        """Close it."""
        if self.driver:
            self.driver.close()

    def round_trip(self) -> None:
        """Return a constant."""
        self._ask(self.session, "RETURN 1")

    def reconnect(self) -> None:
        """Connect, return a constant, close."""
        with self.probe.connect("app") as driver, driver.session(database=_DATABASE) as session:
            self._ask(session, "RETURN 1")

    def build(self) -> None:
        """Build graph and index."""
        now = int(time.time())
        with self.probe.connect("app") as driver, driver.session(database=_DATABASE) as session:
            self._do(session, _OLD, old=now - LEFTOVER_SECONDS)
            self._do(session, _GRAPH, run=self.run, at=now, size=SIZE, groups=GROUPS)
            self._do(session, f"CREATE INDEX {INDEX} IF NOT EXISTS FOR (n:ReadyProbe) ON (n.run, n.n)")
            self._do(session, "CALL db.awaitIndex($index, 30)", index=INDEX)
            # The planner takes a new index for an empty one, makes a scan of all of it, and keeps that plan.
            self._do(session, "CALL db.resampleIndex($index)", index=INDEX)
            self._do(session, "CALL db.prepareForReplanning(30)")

    def operations(self) -> list[Operation]:
        """Return the operations."""
        nodes, session = questions(2), self.session
        few = nodes[:50]
        ends = [two_steps(node) for node in nodes]
        patterns = [pattern(node) for node in few]

        def traverse(number: int) -> Any:
            return self._ask(session, _TRAVERSAL, run=self.run, n=nodes[number % len(nodes)])

        def check_traversed(number: int, found: Any) -> None:
            number %= len(nodes)
            expect(f"the nodes two steps from {nodes[number]}", [n for (n,) in found], ends[number])

        def match(number: int) -> Any:
            return self._ask(session, _PATTERN, run=self.run, n=few[number % len(few)])

        def check_matched(number: int, found: Any) -> None:
            number %= len(few)
            expect(f"the pattern around {few[number]}", found, patterns[number])

        def planned() -> None:
            result = session.run("EXPLAIN " + _TRAVERSAL, run=self.run, n=0)
            plan: Any = result.consume().plan
            if not plan or not uses_index(plan):
                raise CheckError(f"the plan of traversal: found no seek in the index {INDEX}, expected one")

        return [
            Operation("traversal", "latency_p95_ms", traverse, check_traversed, planned, warm_up=200, rate=150.0),
            Operation("complex_pattern", "complex_pattern_p95_ms", match, check_matched, judged=False, warm_up=60),
        ]

    def remove(self) -> None:
        """Remove the graph, and the index unless another run needs it."""
        with self.probe.connect("app") as driver, driver.session(database=_DATABASE) as session:
            self._do(session, _OWN, run=self.run)
            if self._ask(session, _OTHERS) == [[0]]:
                self._do(session, f"DROP INDEX {INDEX} IF EXISTS")
