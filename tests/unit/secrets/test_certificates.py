"""The stack's own authority and its leaves, given certificates, and what a client makes of them, by OpenSSL itself."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography import x509
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)
from ready.common.tls_client import FEWEST_DAYS, MemoryFile, client_context, judge, served_certificate
from ready.secrets.certificates import (
    AUTHORITY_LIFE,
    LEAF_LIFE,
    RENEW_BEFORE,
    Pair,
    authority_due,
    given_fault,
    leaf_due,
    leaf_names,
    make_authority,
    make_leaf,
    names_of,
)
from ready.secrets.tls import certificate_states, renew_due_certificates
from ready.secrets.vault import AUTHORITY, SecretStore
from ready.stack.definitions import load_definitions, resolve_stack

from tests.unit.conftest import VARIABLES

NOW = datetime.now(timezone.utc).replace(microsecond=0)  # certificates have whole seconds
DAY = timedelta(days=1)
NAMES = ["localhost", "127.0.0.1"]


@pytest.fixture(scope="module")
def authority() -> Pair:
    """Return an authority."""
    return make_authority("ready", NOW)


@pytest.fixture(scope="module")
def leaf(authority: Pair) -> Pair:
    """Return a leaf of it."""
    return make_leaf(authority, "ready-redis", NAMES, NOW)


def load(pair: Pair) -> x509.Certificate:
    """Return the certificate of a pair."""
    return x509.load_pem_x509_certificate(pair.certificate.encode())


def test_lives(authority: Pair, leaf: Pair) -> None:
    """Ten years, and less than the 398 days that verifiers allow; an authority can't make authorities."""
    assert load(authority).not_valid_after_utc - NOW == pytest.approx(timedelta(days=3650), abs=DAY)
    assert load(leaf).not_valid_after_utc - load(leaf).not_valid_before_utc <= timedelta(days=398)
    assert load(authority).extensions.get_extension_for_class(x509.BasicConstraints).value.path_length == 0
    assert leaf_names(load(leaf)) == NAMES
    assert make_authority("ready", NOW) != authority


def test_names() -> None:
    """Loopback, container, network alias, a specific address, the inventory's names, and what the inventory adds."""
    variables = VARIABLES | {"redis_bind_address": "192.0.2.7", "redis_tls": {"names": ["cache.example", "not a name"]}}
    service = resolve_stack(load_definitions(), variables)["services"]["redis"]
    hosts = ["db1", "10.0.0.9", "localhost"]
    expected = [
        "localhost",
        "127.0.0.1",
        "::1",
        "ready-redis",
        "redis",
        "192.0.2.7",
        "db1",
        "10.0.0.9",
        "cache.example",
    ]
    assert names_of(service, hosts) == expected
    service["ports"][0]["bind"] = "0.0.0.0"  # noqa: S104
    assert "0.0.0.0" not in names_of(service, [])  # noqa: S104


@pytest.mark.parametrize(
    ("later", "names", "reason"),
    [
        (timedelta(0), NAMES, ""),
        (LEAF_LIFE - RENEW_BEFORE - DAY, NAMES, ""),
        (LEAF_LIFE - RENEW_BEFORE + DAY, NAMES, "29 days are left"),
        (LEAF_LIFE + 3 * DAY, NAMES, "expired 3 days ago"),
        (-DAY, NAMES, "valid from"),
        (timedelta(0), [*NAMES, "db1"], "names"),
        (timedelta(0), list(reversed(NAMES)), ""),
        (AUTHORITY_LIFE - LEAF_LIFE + DAY, NAMES, "authority ends"),
    ],
)
def test_when_a_leaf_is_due(authority: Pair, leaf: Pair, later: timedelta, names: list[str], reason: str) -> None:
    """By the clock and the names."""
    found = leaf_due(leaf, authority, names, NOW + later)
    assert (reason in found, bool(found)) == (True, bool(reason))


def test_a_leaf_of_another_authority_is_due(authority: Pair, leaf: Pair) -> None:
    """And so is one that is not there."""
    assert leaf_due(leaf, make_authority("ready", NOW), NAMES, NOW) == "another authority signed it"
    assert leaf_due(None, authority, NAMES, NOW) == leaf_due(leaf, None, NAMES, NOW) == "there is none yet"
    assert authority_due(None, NOW) == "there is none yet"


# ---------------------------------------------------------------- in the store
@pytest.fixture
def store(tmp_path: Path) -> SecretStore:
    """Return an empty store."""
    return SecretStore.open(tmp_path / "ready_secrets.vault", tmp_path / "key")


def stack(**variables: Any) -> dict[str, Any]:
    """Return a resolved stack of Redis and ChromaDB."""
    return resolve_stack(load_definitions(), VARIABLES | {"ready_services": ["redis", "chromadb"]} | variables)


def test_made_once_and_renewed_by_the_clock(store: SecretStore) -> None:
    """Only for what speaks TLS; a second run makes nothing; near the end the leaf is new and the authority is not."""
    assert renew_due_certificates(store, stack(), ["h"], NOW) == []
    wanted = stack(ready_tls=True)
    assert certificate_states(store, wanted, ["h"], NOW)["redis"]["due"] == "there is none yet"
    assert renew_due_certificates(store, wanted, ["h"], NOW) == ["redis"]
    again = SecretStore.open(store.path, store.key_file)
    assert again.pair("ready", "redis") == store.pair("ready", "redis")
    assert renew_due_certificates(again, wanted, ["h"], NOW) == []
    before = again.pair("ready", AUTHORITY), again.pair("ready", "redis")
    assert renew_due_certificates(again, wanted, ["h"], NOW + LEAF_LIFE - 10 * DAY) == ["redis"]
    assert (again.pair("ready", AUTHORITY) == before[0], again.pair("ready", "redis") == before[1]) == (True, False)
    assert renew_due_certificates(again, wanted, ["h"], NOW + AUTHORITY_LIFE) == ["redis"]
    assert again.pair("ready", AUTHORITY) != before[0]


def test_stores_before_and_after(store: SecretStore) -> None:
    """A store of before opens; rotation and recovery of passwords leave authority and leaves as they are."""
    services: dict[str, Any] = {"redis": {"accounts": {"app": {}}}}
    store.make_missing("ready", services)
    assert set(yaml.safe_load(yaml.safe_dump(store.data))) == {"version", "stacks"}
    old = SecretStore.open(store.path, store.key_file)
    assert old.pair("ready", AUTHORITY) is None
    renew_due_certificates(old, stack(ready_tls=True), [], NOW)
    pairs = old.pair("ready", AUTHORITY), old.pair("ready", "redis")
    assert None not in pairs
    assert old.refused("ready", ["redis"]) == []
    old.rotate("ready", services, {})
    SecretStore(store.path, store.key_file).recovered("ready", {"redis": {"app": "as-it-was-before"}}, "now")
    new = SecretStore.open(store.path, store.key_file)
    assert new.passwords("ready", "redis") == {"app": "as-it-was-before"}
    assert (new.pair("ready", AUTHORITY), new.pair("ready", "redis")) == pairs


# ---------------------------------------------------------------- given ones
def given(directory: Path, authority: Pair, leaf: Pair, **other: str) -> dict[str, Any]:
    """Return a service's `tls` with these files."""
    tls: dict[str, Any] = {"names": ["localhost"]}
    texts = {"certificate": leaf.certificate, "key": leaf.key, "ca": authority.certificate} | other
    for key, text in texts.items():
        path = directory / f"{key}.pem"
        path.write_text(text)
        tls[key] = str(path)
    return tls


def test_given_that_fits(tmp_path: Path, authority: Pair, leaf: Pair) -> None:
    """A client accepts it."""
    assert given_fault(given(tmp_path, authority, leaf), NOW) == ""


def test_given_that_does_not_fit(tmp_path: Path, authority: Pair, leaf: Pair) -> None:
    """Each fault names the file and what is wrong with it."""
    other = make_authority("other", NOW)
    locked = load_pem_private_key(leaf.key.encode(), None).private_bytes(
        Encoding.PEM, PrivateFormat.PKCS8, BestAvailableEncryption(b"secret")
    )
    for change, message in (
        ({"key": other.key}, "key.pem: it does not belong to the certificate"),
        ({"key": "nonsense"}, "key.pem: found no private key"),
        ({"key": locked.decode()}, "key.pem: it is protected by a password"),
        ({"certificate": "nonsense"}, "certificate.pem: found no certificate"),
        ({"ca": "nonsense"}, "ca.pem: found no certificate"),
        ({"ca": other.certificate}, "unable to get local issuer certificate"),
    ):
        assert message in given_fault(given(tmp_path, authority, leaf, **change), NOW), message
    good = given(tmp_path, authority, leaf)
    assert "Hostname mismatch" in given_fault(good | {"names": ["db.example"]}, NOW)
    assert "expired on" in given_fault(good, NOW + LEAF_LIFE + DAY)
    assert "valid from" in given_fault(good, NOW - DAY)
    (tmp_path / "key.pem").unlink()
    assert "key.pem: No such file" in given_fault(good, NOW)


# ---------------------------------------------------------------- what a client sees
@contextmanager
def serving(directory: Path, pair: Pair, newest: ssl.TLSVersion = ssl.TLSVersion.TLSv1_3) -> Iterator[int]:
    """Serve TLS on a port of loopback, as any server does."""
    (directory / "pair.pem").write_text(pair.certificate + pair.key)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(directory / "pair.pem")
    context.maximum_version = newest
    server = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with suppress(OSError):
            while True:
                connection, _ = server.accept()
                with suppress(OSError), context.wrap_socket(connection, server_side=True):
                    pass

    threading.Thread(target=serve, daemon=True).start()
    try:
        yield server.getsockname()[1]
    finally:
        server.close()


def test_served(tmp_path: Path, authority: Pair) -> None:
    """The certificate is read whatever its dates are; a wrong CA and a wrong name are refused."""
    old = make_leaf(authority, "old", NAMES, NOW - LEAF_LIFE - 3 * DAY)
    with serving(tmp_path, old) as port:
        address = ("127.0.0.1", port)
        found = served_certificate(address, "redis", authority.certificate, "127.0.0.1", 5)
        fault, figures = judge(found, NOW.timestamp(), "do this")
        assert "expired 3.0 days ago" in fault
        assert fault.endswith(". Next: do this")
        assert figures["names"] == "localhost, 127.0.0.1"
        assert figures["protocol"] == "TLSv1.3"
        assert figures["issuer"].startswith("Ready CA")
        with pytest.raises(ssl.SSLCertVerificationError):
            served_certificate(address, "redis", authority.certificate, "db.example", 5)
        assert served_certificate(address, "redis", authority.certificate, None, 5)
        with pytest.raises(ssl.SSLCertVerificationError):
            served_certificate(address, "redis", make_authority("x", NOW).certificate, None, 5)


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1")  # what is refused is what is tried
def test_old_protocols_are_refused(tmp_path: Path, authority: Pair, leaf: Pair) -> None:
    """A client of ours speaks no TLS 1.1."""
    with (
        serving(tmp_path, leaf, ssl.TLSVersion.TLSv1_1) as port,
        pytest.raises(OSError, match=r"version|alert|EOF|reset"),
    ):
        served_certificate(("127.0.0.1", port), "redis", authority.certificate, None, 5)
    assert client_context(authority.certificate).minimum_version == ssl.TLSVersion.TLSv1_2


@pytest.mark.parametrize(
    ("days", "fault"), [(FEWEST_DAYS + 1, ""), (FEWEST_DAYS - 1, "found 13.0 days left"), (500, "before")]
)
def test_days(tmp_path: Path, authority: Pair, leaf: Pair, days: int, fault: str) -> None:
    """Fewer than 14 days are a fault, and so is a certificate from the future."""
    with serving(tmp_path, leaf) as port:
        found = served_certificate(("127.0.0.1", port), "redis", authority.certificate, "localhost", 5)
    said, figures = judge(found, (NOW + LEAF_LIFE - days * DAY).timestamp(), "x")
    assert (fault in said, bool(said)) == (True, bool(fault))
    assert figures["days_left"] in {days, days - 1}


def test_memory_file() -> None:
    """It can be read by its path, and is closed with its object."""
    file = MemoryFile("text")
    assert Path(file.path).read_text() == Path(file.path).read_text() == "text"
    path = file.path
    del file
    assert not Path(path).exists()
