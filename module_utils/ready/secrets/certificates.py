# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make and check a stack's certificates: its own authority, leaves, and given ones. Controller only.

Times are UTC. Keys are EC P-256, the one curve that every driver and server here takes. Chains keep what strict
verifiers ask for (Python 3.13's default): key usages, and identifiers of subject and authority.
"""

from __future__ import annotations

import ipaddress
import re
import ssl
import uuid
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from ..common.tls_client import NO_CHECK_TIME

AUTHORITY_LIFE = timedelta(days=3650)
#: One day below the 398 that browsers and Apple's verifiers allow at most (CA/Browser Forum, SC-31).
LEAF_LIFE = timedelta(days=397)
#: Time left at which `up` renews a leaf; `check` warns later (services/transport.py), so whoever runs `up` is never
#: warned.
RENEW_BEFORE = timedelta(days=30)
#: Clocks of hosts differ a little.
BACKDATED = timedelta(minutes=5)
_DNS_NAME = re.compile(r"(?!-)[A-Za-z0-9_*-]{1,63}(\.[A-Za-z0-9_-]{1,63})*")
_COMMON_NAME_LENGTH = 64


class CertificateError(ValueError):
    """A certificate or key can't be used; the message says what was found and what was expected."""


@dataclass(frozen=True)
class Pair:
    """A certificate and its key, PEM texts."""

    certificate: str
    key: str


@dataclass(frozen=True)
class Served:
    """What a service serves, and whom its clients trust: PEM texts."""

    certificate: str
    key: str
    ca: str


def names_of(service: Mapping[str, Any], hosts: Iterable[str]) -> list[str]:
    """Return the names and addresses that a service's own certificate is for.

    Args:
        service: the resolved service: container and name (of its front where it has one), addresses of its ports and
            `tls.names` are read.
        hosts: what the inventory calls the host: its name, ansible_host; what can't be in a certificate is left out.
    """
    binds = [port["bind"] for port in service["ports"] if not ipaddress.ip_address(port["bind"]).is_unspecified]
    own = service.get("front", service)
    wanted = ["localhost", "127.0.0.1", "::1", own["container"], own["name"], *binds, *hosts]
    return list(dict.fromkeys(name for name in [*wanted, *service["tls"]["names"]] if is_name(name)))


def is_name(text: str) -> bool:
    """Return whether a certificate can be for this: an IP address or a DNS name."""
    return _address(text) is not None or (len(text) <= 253 and _DNS_NAME.fullmatch(text) is not None)


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text)
    except ValueError:
        return None


def _general(name: str) -> x509.GeneralName:
    address = _address(name)
    return x509.IPAddress(address) if address else x509.DNSName(name)


def _usage(**used: bool) -> x509.KeyUsage:
    every = (
        "digital_signature", "content_commitment", "key_encipherment", "data_encipherment", "key_agreement",
        "key_cert_sign", "crl_sign", "encipher_only", "decipher_only",
    )  # fmt: skip
    return x509.KeyUsage(**{name: used.get(name, False) for name in every})


def _name(text: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, text[:_COMMON_NAME_LENGTH])])


def _builder(
    subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePublicKey, now: datetime, life: timedelta
) -> x509.CertificateBuilder:
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(issuer)
        .public_key(key)
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - BACKDATED)
        .not_valid_after(now + life)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key), critical=False)
    )


def _pair(certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> Pair:
    return Pair(
        certificate.public_bytes(serialization.Encoding.PEM).decode(),
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        ).decode(),
    )


def make_authority(stack: str, now: datetime) -> Pair:
    """Return a new authority, which can sign leaves and nothing below them; no two have the same name."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = _name(f"Ready CA {uuid.uuid4().hex[:8]} of stack {stack}")
    certificate = (
        _builder(name, name, key.public_key(), now, AUTHORITY_LIFE)
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
        .sign(key, hashes.SHA256())
    )
    return _pair(certificate, key)


def make_leaf(authority: Pair, common_name: str, names: Sequence[str], now: datetime) -> Pair:
    """Return a new server certificate for `names`, signed by the authority."""
    signer = x509.load_pem_x509_certificate(authority.certificate.encode())
    signing_key = serialization.load_pem_private_key(authority.key.encode(), None)
    public_key = signer.public_key()
    if not isinstance(signing_key, ec.EllipticCurvePrivateKey) or not isinstance(public_key, ec.EllipticCurvePublicKey):
        raise CertificateError("the authority's key in the secrets file is no EC key, expected the one that Ready made")
    key = ec.generate_private_key(ec.SECP256R1())
    certificate = (
        _builder(_name(common_name), signer.subject, key.public_key(), now, LEAF_LIFE)
        .add_extension(x509.AuthorityKeyIdentifier.from_issuer_public_key(public_key), critical=False)
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(_usage(digital_signature=True), critical=True)
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectAlternativeName([_general(name) for name in names]), critical=False)
        .sign(signing_key, hashes.SHA256())
    )
    return _pair(certificate, key)


def authority_due(authority: Pair | None, now: datetime) -> str:
    """Return why a new authority is to be made, "" when the one there serves: it must outlive the leaves it signs."""
    if authority is None:
        return "there is none yet"
    ends = x509.load_pem_x509_certificate(authority.certificate.encode()).not_valid_after_utc
    return f"its authority ends on {ends:%Y-%m-%d}" if ends - now < LEAF_LIFE else ""


def leaf_due(leaf: Pair | None, authority: Pair | None, names: Sequence[str], now: datetime) -> str:
    """Return why a service's own certificate must be renewed, "" when the one there serves."""
    if leaf is None or authority is None:
        return "there is none yet"
    if reason := authority_due(authority, now):
        return reason
    certificate = x509.load_pem_x509_certificate(leaf.certificate.encode())
    try:
        certificate.verify_directly_issued_by(x509.load_pem_x509_certificate(authority.certificate.encode()))
    except (InvalidSignature, ValueError, TypeError):
        return "another authority signed it"
    if certificate.not_valid_before_utc > now:
        return f"it is valid from {certificate.not_valid_before_utc:%Y-%m-%d} on only"
    left = certificate.not_valid_after_utc - now
    if left < timedelta(0):
        return f"it expired {(-left).days} days ago"
    if left < RENEW_BEFORE:
        return f"{left.days} days are left"
    if set(leaf_names(certificate)) != set(names):
        return "the names that it is for have changed"
    return ""


def leaf_names(certificate: x509.Certificate) -> list[str]:
    """Return the DNS names and IP addresses that a certificate is for."""
    try:
        names = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        return []
    return [*names.get_values_for_type(x509.DNSName), *map(str, names.get_values_for_type(x509.IPAddress))]


def read_given(tls: Mapping[str, Any]) -> Served:
    """Return the files that the inventory gives. Raises CertificateError naming the one that can't be read."""
    texts = {}
    for key in ("certificate", "key", "ca"):
        path = Path(tls[key])
        try:
            texts[key] = path.read_text(encoding="ascii")
        except (OSError, UnicodeDecodeError) as error:
            reason = error.strerror if isinstance(error, OSError) else "it is no text"
            raise CertificateError(f"{key} {path}: {reason}, expected a PEM file on the controller") from error
    return Served(**texts)


def given_fault(tls: Mapping[str, Any], now: datetime) -> str:
    """Return what is wrong with given files, "" when clients will accept them.

    Everything but the date is asked of OpenSSL, by a handshake in memory, as clients will make one with each name:
    whether they are PEM, the key fits, the CA signed it (over the intermediates in the file), and the name is in it.

    Args:
        tls: a resolved service's `tls`: paths `certificate`, `key`, `ca`, and `names`.
        now: the time to hold the validity against.
    """
    try:
        leaf = x509.load_pem_x509_certificate(read_given(tls).certificate.encode())
    except CertificateError as error:
        return str(error)
    except ValueError:
        return f"certificate {tls['certificate']}: found no certificate in it, expected PEM"
    if leaf.not_valid_after_utc <= now:
        return (
            f"certificate {tls['certificate']}: it expired on {leaf.not_valid_after_utc:%Y-%m-%d}, expected a valid one"
        )
    if leaf.not_valid_before_utc > now:
        return f"certificate {tls['certificate']}: it is valid from {leaf.not_valid_before_utc:%Y-%m-%d} on only"
    for name in tls["names"]:
        if fault := _handshake(tls, name):
            return fault
    return ""


def _no_password() -> str:
    raise CertificateError("it is protected by a password, expected one that a server can read")


def _handshake(tls: Mapping[str, Any], name: str) -> str:
    """Return why a client that trusts `ca` refuses `certificate` under this name, "" when it does not."""
    server = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    try:
        server.load_cert_chain(tls["certificate"], tls["key"], _no_password)
    except CertificateError as error:
        return f"key {tls['key']}: {error}"
    except ssl.SSLError as error:
        if error.reason == "KEY_VALUES_MISMATCH":
            return f"key {tls['key']}: it does not belong to the certificate {tls['certificate']}"
        return f"key {tls['key']}: found no private key in it, expected PEM without a password"
    try:
        client = ssl.create_default_context(cafile=tls["ca"])
    except ssl.SSLError:
        return f"ca {tls['ca']}: found no certificate in it, expected PEM"
    client.verify_flags |= NO_CHECK_TIME
    to_server, to_client = ssl.MemoryBIO(), ssl.MemoryBIO()
    ends = [
        client.wrap_bio(to_client, to_server, server_hostname=name),
        server.wrap_bio(to_server, to_client, server_side=True),
    ]
    for end in ends * 2:  # hello, answer and verdict, end
        try:
            end.do_handshake()
        except ssl.SSLWantReadError:
            continue
        except ssl.SSLCertVerificationError as error:
            return f"certificate {tls['certificate']} with ca {tls['ca']}: {error.verify_message}"
        except ssl.SSLError as error:
            return f"certificate {tls['certificate']}: {error.reason}"
    return ""
