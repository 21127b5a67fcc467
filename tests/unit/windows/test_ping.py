"""The way in to a Windows host, asked of real servers that fail in one way each, and what is said of it."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from ready.common.finding import Finding
from ready.secrets.search import secret_forms
from ready.windows import ping, winrm_answer, winrm_request
from ready.windows.task_errors import redacted_message

from tests.simulator.conditions import host_in
from tests.simulator.handlers.modules import win_whoami
from tests.simulator.host import ModuleCall

NOW = datetime.datetime.now(datetime.timezone.utc)
YEARS = datetime.timedelta(days=1000)
KEY = rsa.generate_private_key(65537, 2048)


@pytest.fixture(autouse=True)
def direct(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ask the servers here, whatever proxy and trust the environment names."""
    for name in ("REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("NO_PROXY", "*")


def certificate(
    directory: Path, names: tuple[str, ...] = ("127.0.0.1",), begin: Any = NOW - YEARS, end: Any = NOW + YEARS
) -> Path:
    """Make a certificate as enable_remoting.ps1 asks Windows for it: signed by itself, for a server, with its names."""
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "PC1")])
    usage = {"digital_signature": True, "key_encipherment": True}
    other = ("content_commitment", "data_encipherment", "key_agreement", "key_cert_sign", "crl_sign")
    usage |= dict.fromkeys((*other, "encipher_only", "decipher_only"), False)
    numbers = [item for item in names if item[0].isdigit()]
    entries = [x509.DNSName(item) for item in names if item not in numbers]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(KEY.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(begin)
        .not_valid_after(end)
        .add_extension(x509.KeyUsage(**usage), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([*entries, *(x509.IPAddress(ipaddress.ip_address(item)) for item in numbers)]),
            critical=False,
        )
        .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(KEY.public_key()), critical=False)
        .sign(KEY, hashes.SHA256())
    )
    path = directory / "pc1.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    kind = serialization.PrivateFormat.PKCS8
    (directory / "pc1.key").write_bytes(
        KEY.private_bytes(serialization.Encoding.PEM, kind, serialization.NoEncryption())
    )
    return path


class _WinRM(BaseHTTPRequestHandler):
    """Greets as HTTP.sys does: 401 with the ways to log on, and nothing else."""

    status, offers = 401, "Negotiate, Kerberos"

    def do_POST(self) -> None:
        """Answer."""
        self.send_response(self.status)
        for offer in filter(None, self.offers.split(", ")):
            self.send_header("WWW-Authenticate", offer)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


class _Server(HTTPServer):
    def handle_error(self, *_: Any) -> None:
        """Stay quiet about clients that trust nobody."""


@contextmanager
def greeter(shown: Path | None = None, **handler: Any) -> Iterator[int]:
    """Serve WinRM's greeting on a free port, over TLS with a certificate."""
    server = _Server(("127.0.0.1", 0), type("Handler", (_WinRM,), handler))
    if shown:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(shown, shown.with_suffix(".key"))
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield int(server.server_address[1])
    finally:
        server.shutdown()
        server.server_close()


def last(port: int, address: str = "127.0.0.1", auth: str = "negotiate", **endpoint: Any) -> Finding:
    """Return the last row of a way in."""
    given = winrm_answer.Endpoint(address, port, **({"timeout": 30.0} | endpoint))
    return ping.connection_checks(given, winrm_request.send(given), auth)[-1]


def test_the_certificate_of_the_script_is_trusted(tmp_path: Path) -> None:
    """By requests, and by a Python that verifies strictly, as 3.13 does."""
    shown = certificate(tmp_path)
    with greeter(shown) as port:
        endpoint = winrm_answer.Endpoint("127.0.0.1", port, trust=str(shown), timeout=30)
        rows = ping.connection_checks(endpoint, winrm_request.send(endpoint), "negotiate")
        assert [(row.id, row.verdict) for row in rows] == [("reach", "pass"), ("tls", "pass"), ("service", "pass")]
        assert "from 127.0.0.1" in rows[0].found
        context = ssl.create_default_context(cafile=str(shown))
        context.verify_flags |= ssl.VERIFY_X509_STRICT | ssl.VERIFY_X509_PARTIAL_CHAIN
        with socket.create_connection(("127.0.0.1", port), 30) as plain:
            context.wrap_socket(plain, server_hostname="127.0.0.1").close()


def test_a_certificate_that_is_not_trusted_is_explained(tmp_path: Path) -> None:
    """Unknown, for another name, ended, not yet good, soon to end; nobody looks only when told so."""
    other = tmp_path / "other"
    other.mkdir()
    cases: list[tuple[dict[str, Any], str, str]] = [
        ({"names": ("pc1.example.com",)}, "a certificate for pc1.example.com", "set ansible_host to one of them"),
        ({"begin": NOW - 2 * YEARS, "end": NOW - YEARS}, f"ended on {NOW - YEARS:%Y-%m-%d}", "on the PC again"),
        ({"begin": NOW + YEARS, "end": NOW + 2 * YEARS}, "not good yet", "compare the clocks"),
    ]
    for given, found, step in cases:
        shown = certificate(tmp_path, **given)
        with greeter(shown) as port:
            row = last(port, trust=str(shown))
        assert (row.id, row.verdict) == ("tls", "fail"), row
        assert found in row.found, row
        assert step in row.next, row
    shown = certificate(tmp_path, end=NOW + datetime.timedelta(days=10))
    with greeter(shown) as port:
        endpoint = winrm_answer.Endpoint("127.0.0.1", port, trust=str(shown), timeout=30)
        assert (
            ping.connection_checks(endpoint, winrm_request.send(endpoint), "negotiate")[1].verdict
            == "insufficient_data"
        )
        unknown = last(port, trust=str(certificate(other)))
        assert "signed by itself that is not among the trusted" in unknown.found
        assert str(other) in unknown.next
        endpoint = winrm_answer.Endpoint("127.0.0.1", port, trust=None, timeout=30)
        assert (
            "nobody looked at" in ping.connection_checks(endpoint, winrm_request.send(endpoint), "negotiate")[1].found
        )


def test_what_is_no_winrm_is_told_apart(tmp_path: Path) -> None:
    """Plain HTTP on the port for TLS, another web server, a way to log on that is not offered."""
    with greeter() as port:
        assert "no TLS" in last(port).found
        assert last(port, secure=False).verdict == "pass"
    with greeter(status=404, offers="") as port:
        row = last(port, secure=False)
        assert (row.verdict, "another program answers" in row.next) == ("fail", True)
    with greeter(offers="Negotiate") as port:
        row = last(port, secure=False, auth="credssp")
        assert "set ansible_psrp_auth to one that is offered (negotiate)" in row.next


def test_nothing_that_answers_is_away() -> None:
    """A name without an address, a port where nobody listens, one that stays silent after connecting."""
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        row = last(int(closed.getsockname()[1]))
        assert "refuses: Windows is up and nothing listens" in row.found
    assert "no address for pc1.invalid" in last(5986, "pc1.invalid").found
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        row = last(int(silent.getsockname()[1]), timeout=0.3, secure=False)
        assert (row.id, "no answer within 0.3 s after connecting" in row.found) == ("tls", True)


def test_silence_names_what_the_firewall_must_let_in() -> None:
    """Windows' firewall drops: then the controller's own address is what the script on the PC has to be given."""
    import requests

    answer = winrm_request.classify(requests.exceptions.ConnectTimeout(TimeoutError("timed out")))
    assert answer.kind == "connect_timeout"
    endpoint = winrm_answer.Endpoint("10.9.9.9", 5986)
    row = ping.connection_checks(endpoint, winrm_answer.Answer("connect_timeout", source="192.168.1.10"), "negotiate")[
        0
    ]
    assert "this controller comes as 192.168.1.10" in row.found
    assert "enable_remoting.ps1 -Controller 192.168.1.10" in row.next


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (OSError(113, "No route to host"), "route"),
        (ConnectionResetError(104, "reset"), "reset"),
        (ValueError("odd"), "other"),
    ],
)
def test_errors_are_told_by_their_types(error: Exception, kind: str) -> None:
    """However deep libraries wrapped them."""
    import requests

    wrapped = requests.exceptions.ConnectionError(RuntimeError("pool", error)) if kind != "other" else error
    assert winrm_request.classify(wrapped).kind == kind


@pytest.mark.parametrize(
    ("said", "found", "step"),
    [
        (
            "failed to authenticate with the server: Failed to authenticate the user ready with negotiate",
            "user or password was refused (ready)",
            "PIN alone",
        ),
        (
            "psrp connection failure during runspace open: Received a WSManFault message. (Code: 5, Machine: PC1, "
            "Reason: Access is denied.)",
            "the password is right, and the session is denied (ready)",
            "LocalAccountTokenFilterPolicy",
        ),
        ("Unspecified GSS failure. Minor: Server not found in Kerberos database", "Kerberos gave no ticket", "@REALM"),
        ("<f:Message>odd\n  thing of Sesame 42!</f:Message>", "odd thing of ***", "-vvv"),
    ],
)
def test_a_refused_logon_names_its_likely_causes(said: str, found: str, step: str) -> None:
    """In one line, without XML, and never with the password."""
    row = ping.login_fault(said, "ready", ["Sesame 42!"])
    assert (row.verdict, found in row.found, step in row.next) == ("fail", True, True), row
    assert "Sesame" not in row.found + row.next


def rows_of(**host: Any) -> dict[str, Finding]:
    """Return the rows about who logged on, for a simulated host."""
    pc = host_in("fresh")
    for name, value in host.items():
        setattr(pc, name, value)
    who = win_whoami(pc, ModuleCall("win_whoami", {}, False, False, None, {}))
    return {row.id: row for row in ping.rights(who)}


def test_rights_are_those_that_the_roles_need() -> None:
    """An elevated administrator that may log on as a batch job; rights that nobody tells are not called missing."""
    fine = rows_of()
    assert {row.verdict for row in fine.values()} == {"pass"}
    assert fine["login"].found == "PC1\\ready (Network, NTLM)"
    assert rows_of(batch=set())["batch"].verdict == "fail"
    plain = rows_of(elevated=False)
    assert (plain["rights"].verdict, plain["batch"].verdict) == ("fail", "insufficient_data")
    assert rows_of(sid="S-1-5-18")["login"].verdict == "fail"
    assert ping._batch(["SeBatchLogonRight", "SeDenyBatchLogonRight"], elevated=True).verdict == "fail"


def test_no_login_is_taken_from_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The question goes without one, also where ~/.netrc has one for the host."""
    (tmp_path / ".netrc").write_text("machine 127.0.0.1 login x password y\n")
    monkeypatch.setenv("NETRC", str(tmp_path / ".netrc"))
    seen: list[Any] = []

    def do_post(handler: Any) -> None:
        seen.append(handler.headers.get("Authorization"))
        _WinRM.do_POST(handler)

    with ExitStack() as stack:
        port = stack.enter_context(greeter(do_POST=do_post))
        assert last(port, secure=False).verdict == "pass"
    assert seen == [None]


@pytest.mark.parametrize("secret", ["two  blanks", "a<b>c d", "tab\tand 4-Secret", "4-Secret%"])
def test_secret_stays_hidden_however_a_message_is_folded(secret: str) -> None:
    """Its blanks are folded and its brackets taken for XML only after it was hidden; and it may come encoded."""
    for form, name in secret_forms(secret).items():
        if name != "utf-16":
            word = form.decode()
            assert ping.cleaned(f"<f:Message>bad {word} here</f:Message>", [secret]) == "bad *** here"
            assert redacted_message({"msg": f" bad {word}\nhere"}, [secret]) == "bad *** here"
    folded = " ".join(secret.split())
    assert ping.cleaned(f"bad {folded} here", [secret]) == "bad *** here"
