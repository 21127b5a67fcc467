"""The figures of what stores hold, from recorded answers."""

from __future__ import annotations

import json

import pytest
from ready.docker.state import EngineError
from ready.services.neo4j.fingerprint import graph_figures
from ready.services.redis.fingerprint import redis_keys
from ready.upgrades.store_queries import http_body

#: Recorded: what redis-cli 7.0.15 printed for `_REDIS`, with 1005 keys and one that expires, and two in db3.
KEYSPACE = "OK\n# Keyspace\r\ndb0:keys=1006,expires=1,avg_ttl=0\r\ndb3:keys=2,expires=2,avg_ttl=0\r\n"
WRONG_PASSWORD = "WRONGPASS invalid username-password pair or user is disabled.\n\nNOAUTH Authentication required.\n"
#: Recorded: what Neo4j 5.12.0 answered to `_CYPHER`, over a chain of 500 nodes with an index and a constraint
#: beside the two of its own; and to a procedure that it does not have.
GRAPH = (
    '{"results":[{"columns":["count(n)"],"data":[{"row":[500],"meta":[null]}]},'
    '{"columns":["count(r)"],"data":[{"row":[499],"meta":[null]}]},'
    '{"columns":["{labels: labels, types: relTypesCount}"],'
    '"data":[{"row":[{"types":{"NEXT":499},"labels":{"Item":500}}],"meta":[null,null]}]},'
    '{"columns":["count(*)"],"data":[{"row":[4],"meta":[null]}]},'
    '{"columns":["count(*)"],"data":[{"row":[1],"meta":[null]}]}],'
    '"errors":[],"lastBookmarks":["FB:kcwQgj0GmWppSeyDQZEZeux/+hGQ"]}'
)
NO_PROCEDURE = (
    "HTTP/1.1 200 OK\r\nDate: Wed, 25 Nov 2026 00:53:05 GMT\r\nAccess-Control-Allow-Origin: *\r\n"
    "Content-Type: application/json\r\nContent-Length: 282\r\n\r\n"
    '{"results":[],"errors":[{"code":"Neo.ClientError.Procedure.ProcedureNotFound",'
    '"message":"There is no procedure with the name `apoc.none` registered for this database instance. '
    "Please ensure you've spelled the procedure name correctly and that the procedure is properly deployed.\"}]}"
)


def test_redis_keys() -> None:
    """Keys that expire are not counted: they may be gone at any moment."""
    assert redis_keys(KEYSPACE) == {"db0 keys": 1005, "db3 keys": 0}
    with pytest.raises(EngineError, match="WRONGPASS"):
        redis_keys(WRONG_PASSWORD)


def test_graph_figures() -> None:
    """Every figure of the answer; names that nothing carries do not count; an error is one."""
    body = json.loads(GRAPH)
    expected = {
        "nodes": 500, "relationships": 499, "indexes": 4, "constraints": 1, "labels Item": 500, "types NEXT": 499,
    }  # fmt: skip
    assert graph_figures(body) == expected
    body["results"][2]["data"][0]["row"][0]["labels"]["Gone"] = 0  # as made up: a label that once was carried
    assert graph_figures(body) == expected
    with pytest.raises(EngineError, match=r"no procedure with the name `apoc\.none`"):
        graph_figures(http_body(NO_PROCEDURE))


def test_http_body() -> None:
    """The body of a good answer; anything else says what it was."""
    assert http_body("HTTP/1.0 200 OK\r\ncontent-type: application/json\r\n\r\n[1]") == [1]
    with pytest.raises(EngineError, match="410 Gone"):
        http_body("HTTP/1.1 410 Gone\r\n\r\n{}")
    with pytest.raises(EngineError):
        http_body("")
