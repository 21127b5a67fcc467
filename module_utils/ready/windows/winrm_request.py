# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Send WinRM a request without a login, and read the answer.

Runs on the controller: needs requests and cryptography. The request goes as the connection psrp sends its own: by
requests, with the same trust and the same proxy.
"""

from __future__ import annotations

import contextlib
import socket
import ssl
from collections.abc import Iterator
from datetime import timezone
from typing import Any

from .winrm_answer import Answer, Endpoint, ServerCertificate


def _causes(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and everything that it was made of: libraries wrap the error of the system three times over."""
    todo, seen = [error], set()
    while todo:
        item = todo.pop(0)
        if id(item) in seen:
            continue
        seen.add(id(item))
        yield item
        inner = [getattr(item, "reason", None), item.__cause__, item.__context__, *item.args]
        todo += [found for found in inner if isinstance(found, BaseException)]


def classify(error: BaseException) -> Answer:
    """Return what an error of requests means, by the types in it alone."""
    import requests

    chain = list(_causes(error))

    def one(*types: type[BaseException]) -> Any:
        return next((item for item in chain if isinstance(item, types)), None)

    if found := one(ssl.SSLCertVerificationError):
        return Answer("trust", str(found.verify_message), code=int(found.verify_code))
    if found := one(requests.exceptions.ProxyError):
        return Answer("proxy")
    if found := one(ssl.SSLError):
        return Answer("tls", str(found.reason or found))
    if one(socket.gaierror):
        return Answer("unresolved")
    if one(ConnectionRefusedError):
        return Answer("refused")
    if isinstance(error, requests.exceptions.ReadTimeout):
        return Answer("read_timeout")
    if one(TimeoutError, requests.exceptions.ConnectTimeout):
        return Answer("connect_timeout")
    if one(ConnectionError, EOFError) and not isinstance(error, OSError):
        return Answer("reset")
    system = [item for item in chain if type(item) is OSError and item.errno]
    if system:
        return Answer("route", str(system[0].strerror))
    if one(ConnectionResetError, BrokenPipeError, requests.exceptions.ConnectionError):
        return Answer("reset")
    return Answer("other", str(error))


def source_address(address: str, port: int) -> str:
    """Return this machine's own address towards another one, "" when there is no route. Nothing is sent."""
    with contextlib.suppress(OSError):
        kind, *_, target = socket.getaddrinfo(address, port, type=socket.SOCK_DGRAM)[0]
        with socket.socket(kind, socket.SOCK_DGRAM) as probe:
            probe.connect(target)
            return str(probe.getsockname()[0])
    return ""


def server_certificate(endpoint: Endpoint) -> ServerCertificate | None:
    """Return the certificate that a server shows, whether it is trusted or not; None when there is none to see."""
    from cryptography import x509

    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with (
            socket.create_connection((endpoint.address, endpoint.port), endpoint.timeout) as plain,
            context.wrap_socket(plain, server_hostname=endpoint.address) as stream,
        ):
            certificate = x509.load_der_x509_certificate(stream.getpeercert(binary_form=True) or b"")
    except (OSError, ValueError):
        return None
    try:
        value = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
        names = [*value.get_values_for_type(x509.DNSName), *map(str, value.get_values_for_type(x509.IPAddress))]
    except x509.ExtensionNotFound:
        names = []
    moment = certificate.not_valid_after_utc.astimezone(timezone.utc)
    return ServerCertificate(tuple(names), moment, certificate.issuer == certificate.subject)


def _session(endpoint: Endpoint) -> Any:
    """Return a session without a login of a file; its proxies are those of the environment or of `endpoint`."""
    import requests

    session = requests.Session()
    session.auth = lambda request: request  # else requests takes one from ~/.netrc
    session.headers.update({"Content-Type": "application/soap+xml;charset=UTF-8", "Accept-Encoding": "identity"})
    if endpoint.proxy:
        session.proxies = {"https": endpoint.proxy, "http": endpoint.proxy}
    if endpoint.ignore_proxy:
        session.trust_env = False
    return session


def send(endpoint: Endpoint) -> Answer:
    """Return what WinRM answers to a request without a login: 401 and the authentication methods, when all is well."""
    import warnings

    import requests

    verify: bool | str = False if endpoint.trust is None else endpoint.trust or True
    source = source_address(endpoint.address, endpoint.port)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of what is not verified: a row of the table says it
            answer = _session(endpoint).post(
                endpoint.url, data=b"", verify=verify, timeout=endpoint.timeout, allow_redirects=False
            )
    except (OSError, requests.exceptions.RequestException) as error:
        found = classify(error)
        certificate = server_certificate(endpoint) if found.kind == "trust" else None
        return Answer(found.kind, found.detail, code=found.code, source=source, certificate=certificate)
    words = (item.strip().split(" ")[0].lower() for item in answer.headers.get("WWW-Authenticate", "").split(","))
    auth_methods = tuple(sorted({word for word in words if word}))
    certificate = server_certificate(endpoint) if endpoint.secure and not endpoint.proxy else None
    return Answer(
        "answer", status=answer.status_code, auth_methods=auth_methods, source=source, certificate=certificate
    )
