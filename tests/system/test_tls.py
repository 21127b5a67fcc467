"""TLS on a whole stack with data in it: switched on, refused to strangers, expired, given; and the gateway."""

from __future__ import annotations

import socket
import ssl
from collections import Counter
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import docker
import neo4j
import psycopg
import pytest
import redis as driver
import requests
from docker.models.containers import Container
from ready.checks.make_probes import make_probes
from ready.common.labels import LABEL_STACK
from ready.docker.state import write_volume
from ready.secrets.certificates import LEAF_LIFE, make_authority, make_leaf
from ready.secrets.tls import served_certificate
from ready.secrets.vault import AUTHORITY, SecretStore
from ready.services.gateway.probe import GatewayProbe
from ready.stack.render import render_files

from tests.clients.running import PROGRAMS, clients, run
from tests.names import own
from tests.stack import ONCE
from tests.system.checks import check
from tests.system.conftest import Ready, own_stack

NAME = own("sys-tls")
SERVICES = ["postgresql", "neo4j", "chromadb", "redis", "gateway"]
WITH_TLS = ["postgresql", "neo4j", "redis", "gateway"]
RATE = 60
NOW = datetime.now(timezone.utc)
ANYWHERE = "0.0.0.0"  # noqa: S104


def configure(ready: Ready, **variables: Any) -> None:
    """Set inventory variables, and let the test's drivers go by them."""
    ready.set(**variables)
    ready.stack.variables |= variables
    vars(ready.stack).pop("resolved", None)


@pytest.fixture(scope="module")
def secured(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ready]:
    """Return a stack that was up without TLS, has data, and got TLS afterwards."""
    with own_stack(tmp_path_factory.mktemp("tls"), NAME, SERVICES) as ready:
        configure(ready, gateway_settings={"requests_per_second": RATE})
        ready.run("up")
        ready.stack.write()
        configure(ready, ready_tls=True)
        ready.run("up")
        yield ready


def address(ready: Ready, service: str, port: str) -> tuple[str, int]:
    """Return where a port is published."""
    return next((p["bind"], p["host"]) for p in ready.stack.resolved["services"][service]["ports"] if p["name"] == port)


def test_check_is_green_over_tls(secured: Ready) -> None:
    """What was written before is read over TLS; every driver verifies, plain text and old TLS get nobody anywhere."""
    secured.stack.check()
    found = check(secured, ("health", "drift", "security", "network"))
    assert not found.failed
    checks = found.evidence["security"]["results"]["checks"]
    verdicts = {(item["service"], item["id"]): item["verdict"] for item in checks}
    for name in WITH_TLS:
        assert (verdicts[name, "plaintext"], verdicts[name, "old_tls"]) == ("pass", "pass")
        assert found.services[name]["checks"]["certificate"]["figures"]["days_left"] == LEAF_LIFE.days - 1
    assert set(found.verdicts("gateway")) == {"heartbeat", "token", "certificate"}
    assert "certificate" not in found.verdicts("chromadb")


def test_plain_text_is_refused(secured: Ready) -> None:
    """By each service, with the right password."""
    stack = secured.stack
    url, its = stack.settings("postgresql")["DATABASE_URL"], stack.settings("neo4j")
    with pytest.raises(psycopg.OperationalError, match="no encryption"):
        psycopg.connect(url.partition("?")[0], sslmode="disable", connect_timeout=5)
    plain = its["NEO4J_URI"].replace("bolt+s", "bolt")
    with (
        neo4j.GraphDatabase.driver(plain, auth=(its["NEO4J_USERNAME"], its["NEO4J_PASSWORD"])) as client,
        pytest.raises(neo4j.exceptions.ServiceUnavailable),
    ):
        client.verify_connectivity()
    host, port = address(secured, "redis", "redis")
    with pytest.raises(driver.exceptions.ConnectionError):
        driver.Redis(host, port, username="kailash_app", password=stack.passwords("redis")["app"]).ping()
    for service, name in (("neo4j", "http"), ("gateway", "https")):
        with pytest.raises(requests.exceptions.ConnectionError):
            requests.get("http://{}:{}/".format(*address(secured, service, name)), timeout=5)
    networks = stack.container("neo4j").attrs["NetworkSettings"]["Networks"]
    with socket.socket() as client_socket:  # from the stack's network, HTTP is not there either
        assert client_socket.connect_ex((networks[NAME]["IPAddress"], 7474)) != 0


def test_another_authority_is_refused(secured: Ready, tmp_path: Path) -> None:
    """Drivers that trust somebody else don't connect."""
    other, stack = tmp_path / "other.crt", secured.stack
    other.write_text(make_authority("other", NOW).certificate)
    with pytest.raises(psycopg.OperationalError, match="certificate verify failed"):
        psycopg.connect(stack.settings("postgresql")["DATABASE_URL"], sslrootcert=str(other), connect_timeout=5)
    its = stack.settings("neo4j")
    trust = neo4j.TrustCustomCAs(str(other))
    with (
        neo4j.GraphDatabase.driver(
            its["NEO4J_URI"].replace("bolt+s", "bolt"),
            auth=(its["NEO4J_USERNAME"], its["NEO4J_PASSWORD"]),
            encrypted=True,
            trusted_certificates=trust,
        ) as client,
        pytest.raises(neo4j.exceptions.ServiceUnavailable),
    ):
        client.verify_connectivity()
    url = stack.settings("redis")["REDIS_URL"].partition("?")[0] + f"?ssl_ca_certs={other}"
    with pytest.raises(driver.exceptions.ConnectionError, match="certificate verify failed"):
        driver.Redis.from_url(url, retry=ONCE).ping()
    with pytest.raises(requests.exceptions.SSLError):
        requests.get(stack.settings("gateway")["CHROMA_URL"], verify=str(other), timeout=5)


@pytest.mark.parametrize(
    ("service", "port"),
    [("postgresql", "postgresql"), ("neo4j", "bolt"), ("neo4j", "http"), ("redis", "redis"), ("gateway", "https")],
)
@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")  # what is refused is what is tried
def test_old_protocols_are_refused(secured: Ready, service: str, port: str) -> None:
    """TLS 1.1 by its alert; TLS 1.2 is spoken."""
    for newest in (ssl.TLSVersion.TLSv1_1, ssl.TLSVersion.TLSv1_2):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
        context.minimum_version, context.maximum_version = ssl.TLSVersion.TLSv1, newest
        context.set_ciphers("ALL:@SECLEVEL=0")  # else the client itself would refuse the old ones
        with socket.create_connection(address(secured, service, port), 10) as plain:
            if service == "postgresql":
                plain.sendall(b"\x00\x00\x00\x08\x04\xd2\x16\x2f")
                assert plain.recv(1) == b"S"
            if newest == ssl.TLSVersion.TLSv1_2:
                assert context.wrap_socket(plain).version() == "TLSv1.2"
            else:
                with pytest.raises(ssl.SSLError, match=r"(?i)alert protocol version"):
                    context.wrap_socket(plain)


@pytest.fixture(scope="module")
def applications(secured: Ready) -> Iterator[Container]:
    """Return a container with clients in the stack's network."""
    with clients(secured.stack) as container:
        yield container


@pytest.mark.parametrize("program", PROGRAMS)
def test_clients(applications: Container, program: str) -> None:
    """Mainstream clients verify the stack's authority and work; ChromaDB's through the gateway, with its token."""
    run(applications, program)


def test_gateway(secured: Ready) -> None:
    """401 without the token and with another, ChromaDB's answer with it, 429 beyond the rate."""
    its = secured.stack.settings("gateway")
    url = f"{its['CHROMA_URL']}/api/v2/heartbeat"
    passwords = {"gateway": secured.stack.passwords("gateway")}
    authority = {"gateway": Path(its["CHROMA_CA_FILE"]).read_text()}
    probe = make_probes(secured.stack.resolved, passwords, 5, authority)["gateway"]
    assert isinstance(probe, GatewayProbe)
    assert probe.connect().heartbeat() > 0
    with requests.Session() as client:
        client.trust_env, client.verify = False, its["CHROMA_CA_FILE"]  # the environment's CA bundle would win
        assert client.get(url, timeout=5).status_code == 401
        assert client.get(url, headers={"Authorization": "Bearer production_password"}, timeout=5).status_code == 401
        client.headers["Authorization"] = f"Bearer {its['CHROMA_TOKEN']}"
        assert client.get(url, timeout=5).status_code == 200
        found = Counter(client.get(url, timeout=5).status_code for _ in range(4 * RATE))
    assert set(found) == {200, 429}
    assert found[200] >= RATE // 2


def serve(ready: Ready, service: str, made: datetime) -> None:
    """Let a service serve a certificate of the stack's authority that was made at that time."""
    stack, store = ready.stack, SecretStore.open(ready.stack.secrets_file, ready.stack.key_file)
    authority, resolved = store.pair(NAME, AUTHORITY), stack.resolved["services"][service]
    assert authority
    names = ["localhost", "127.0.0.1", "::1", f"{NAME}-{service}", service]
    store.keep_pair(NAME, service, make_leaf(authority, f"{NAME}-{service}", names, made))
    store.save()
    files = render_files(resolved, store.passwords(NAME, service), {}, served_certificate(store, NAME, resolved))
    container = stack.container(service)
    write_volume(
        docker.from_env(),
        container.attrs["Image"],
        resolved["config_volume"],
        resolved["image"]["user"],
        {file.path: (file.mode, file.content) for file in files},
        {LABEL_STACK: NAME},
    )
    container.restart()


def test_expired_and_nearly_so(secured: Ready) -> None:
    """The check names the days and the next step; `up` makes new ones and leaves the others alone."""
    serve(secured, "redis", NOW - LEAF_LIFE - timedelta(days=3))
    serve(secured, "postgresql", NOW - LEAF_LIFE + timedelta(days=10))
    secured.stack.await_docker_health()
    found = check(secured)
    assert found.unwell("redis") == {"memory", "key_value", "persistence", "certificate"}
    assert found.unwell("postgresql") == {"certificate"}
    assert found.unwell("neo4j") == found.unwell("gateway") == set()
    assert "expired 3.0 days ago" in found.services["redis"]["checks"]["certificate"]["detail"]
    detail = found.services["postgresql"]["checks"]["certificate"]["detail"]
    assert "found 10.0 days left, expected at least 14" in detail
    assert "./ready up renews it" in detail
    before = secured.stack.identities()
    secured.run("up")
    after = secured.stack.identities()
    changed = {name for name in after if after[name] != before[name]}
    assert changed == {f"{NAME}-redis", f"{NAME}-postgresql"}
    secured.stack.check("redis")
    assert check(secured).unwell("postgresql") == set()


def give(ready: Ready, name: str, made: datetime) -> dict[str, Any]:
    """Return a `tls` of a company's own certificate, made at that time, with paths as an inventory has them."""
    authority = make_authority("company", made)
    leaf = make_leaf(authority, "cache", ["localhost"], made)
    directory = ready.directory / "tls" / name
    directory.mkdir(parents=True, exist_ok=True)
    pairs = {"certificate": leaf.certificate, "key": leaf.key, "ca": authority.certificate}
    for key, text in pairs.items():
        (directory / f"{key}.pem").write_text(text)
    return {"names": ["localhost"]} | {key: f"../tls/{name}/{key}.pem" for key in pairs}


def test_preflight_refuses(secured: Ready) -> None:
    """ChromaDB beyond loopback, PostgreSQL there without TLS, a given certificate that expired, one of another key.

    All of it at once, and nothing is changed.
    """
    before = secured.stack.identities()
    stolen = give(secured, "stolen", NOW)
    (secured.directory / "tls" / "stolen" / "key.pem").write_text(make_authority("other", NOW).key)
    secured.set(
        chromadb_bind_address=ANYWHERE,
        postgresql_bind_address=ANYWHERE,
        postgresql_tls={"enabled": False},
        gateway_bind_address=ANYWHERE,
        redis_tls=give(secured, "old", NOW - LEAF_LIFE - timedelta(days=2)),
        neo4j_tls=stolen,
    )
    said = secured.run("up", code=2).text
    for names in ("chromadb", "postgresql", "gateway"):
        secured.set(**{f"{names}_bind_address": None})
    secured.set(postgresql_tls=None, redis_tls=None, neo4j_tls=None)
    assert "ready_services with gateway, and gateway_bind_address" in said
    assert "postgresql_tls to {enabled: true}" in said
    assert "set gateway_bind_address" not in said
    assert "it expired on" in said
    assert "it does not belong to the certificate" in said
    assert secured.stack.identities() == before


def test_given_certificate(secured: Ready) -> None:
    """It is served, applications connect by its name and CA, and the next `up` changes and restarts nothing."""
    good = give(secured, "good", NOW)
    ca = secured.directory / "tls" / "good" / "ca.pem"
    secured.set(redis_tls=good)
    secured.run("up")
    before = secured.stack.identities()
    assert secured.run("up").changed == 0
    assert secured.stack.identities() == before
    shown = dict(line.split("=", 1) for line in secured.run("env").out.splitlines() if line.startswith("REDIS_"))
    assert shown["REDIS_HOST"] == "localhost"
    assert shown["REDIS_CA_FILE"] == str(ca)
    paths = {key: str(ca.with_name(f"{key}.pem")) for key in ("certificate", "key", "ca")}
    secured.stack.variables["redis_tls"] = good | paths
    vars(secured.stack).pop("resolved", None)
    secured.stack.check("redis")
    found = check(secured)
    assert not found.failed
    assert found.services["redis"]["checks"]["certificate"]["figures"]["names"] == "localhost"
