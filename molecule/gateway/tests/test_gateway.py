"""ChromaDB through the gateway, as an application and as somebody who should not get in."""

from __future__ import annotations

import http.client
import socket
import ssl
from contextlib import closing

import pytest
import requests

from tests.hardening import assert_hardened
from tests.stack import molecule_stack

STACK = molecule_stack(["chromadb", "gateway"])


def ask(method: str = "GET", path: str = "/api/v2/heartbeat", token: str | None = "", **other: object) -> int:
    """Return the status of a request; with the stack's token unless another, or None for none, is given."""
    its = STACK.settings("gateway")
    headers = {} if token is None else {"Authorization": f"Bearer {token or its['CHROMA_TOKEN']}"}
    url = its["CHROMA_URL"] + path
    return requests.request(
        method,
        url,
        headers=headers,
        verify=its["CHROMA_CA_FILE"],
        timeout=10,
        **other,  # type: ignore[arg-type]
    ).status_code


def announced(length: int) -> int:
    """Return the status of a request that says how long its body is, before any of it is sent."""
    its = STACK.settings("gateway")
    context = ssl.create_default_context(cafile=its["CHROMA_CA_FILE"])
    client = http.client.HTTPSConnection(its["CHROMA_HOST"], int(its["CHROMA_PORT"]), timeout=10, context=context)
    with closing(client):
        headers = {"Authorization": f"Bearer {its['CHROMA_TOKEN']}", "Content-Length": str(length)}
        client.request("POST", "/api/v2/tenants", headers=headers)
        return client.getresponse().status


def test_data() -> None:
    """Vectors go in and come back through the gateway, and are ChromaDB's own."""
    STACK.write("gateway")
    STACK.check("gateway")
    STACK.check("chromadb")


def test_token() -> None:
    """With it ChromaDB answers; without it, with another one, and with the right one in another form nobody does."""
    token = STACK.settings("gateway")["CHROMA_TOKEN"]
    assert ask() == 200
    assert ask(token=None) == ask(token="x" * 32) == ask(token=token[:-1]) == ask(token=token.swapcase()) == 401
    assert ask(path=f"/api/v2/heartbeat?token={token}", token=None) == 401


def test_what_is_let_through() -> None:
    """ChromaDB's API alone, by its methods, up to its size, of a length that is stated."""
    assert ask("OPTIONS") == ask("TRACE") == 405
    assert ask(path="/docs") == ask(path="/api/v1/heartbeat") == 404
    assert ask("POST", data=iter([b"a", b"b"])) == 411
    assert announced(41943041) == 413


def test_plain_text_and_other_authorities_are_refused() -> None:
    """No HTTP, and no client that trusts somebody else."""
    its = STACK.settings("gateway")
    with pytest.raises(requests.exceptions.ConnectionError):
        requests.get(its["CHROMA_URL"].replace("https", "http"), timeout=10)
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(its["CHROMA_URL"], timeout=10)


@pytest.mark.parametrize(("newest", "spoken"), [(ssl.TLSVersion.TLSv1_1, False), (ssl.TLSVersion.TLSv1_2, True)])
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")  # what is refused is what is tried
def test_protocols(newest: ssl.TLSVersion, spoken: bool) -> None:
    """TLS 1.2 and newer."""
    its = STACK.settings("gateway")
    context = ssl.create_default_context(cafile=its["CHROMA_CA_FILE"])
    context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, newest
    context.set_ciphers("ALL:@SECLEVEL=0")  # else the client itself would refuse the old ones
    address = (its["CHROMA_HOST"], int(its["CHROMA_PORT"]))
    with socket.create_connection(address, 10) as plain:
        if spoken:
            assert context.wrap_socket(plain, server_hostname=address[0]).version() == "TLSv1.2"
        else:
            with pytest.raises(ssl.SSLError, match=r"(?i)alert protocol version"):
                context.wrap_socket(plain, server_hostname=address[0])


def test_the_token_is_not_in_the_log() -> None:
    """Requests are logged without it."""
    log = STACK.container("gateway").logs()
    assert b"/api/v2/heartbeat" in log
    assert STACK.settings("gateway")["CHROMA_TOKEN"].encode() not in log


def test_chromadb_made_anew_is_found_again() -> None:
    """Its container may come back with another address."""
    STACK.container("chromadb").restart()
    STACK.await_docker_health()
    STACK.check("gateway")


def test_hardened() -> None:
    """Non-root, no capabilities, read-only, limited."""
    assert_hardened(STACK, "gateway")
