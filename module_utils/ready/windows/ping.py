# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a test of the connection to a Windows host found: rows with likely causes. Pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime, timedelta, timezone
from typing import Any

from ..common.finding import Finding
from ..common.known_errors import KnownError, first_match
from ..common.verdict import FAIL, PASS, UNKNOWN
from ..secrets.redaction import redacted_line
from .preflight import SERVICE_ACCOUNTS
from .winrm_answer import UNREACHABLE, Answer, Endpoint

SCRIPT = "enable_remoting.ps1"
#: OpenSSL's numbers of what is wrong with a certificate (x509_vfy.h).
NOT_YET_VALID, EXPIRED, HOSTNAME, ADDRESS = 9, 10, 62, 64
UNKNOWN_ISSUER = {18, 19, 20, 21}
#: A certificate that ends within this time is named.
SOON = timedelta(days=30)
#: Integrity levels of an elevated token: high, and the system's.
ELEVATED = {"S-1-16-12288", "S-1-16-16384"}
#: Ways to log on that WinRM calls Negotiate.
NEGOTIATED = {"negotiate", "ntlm", "kerberos"}
_LONGEST = 300


def cleaned(message: str, secrets: Iterable[str] = ()) -> str:
    """Return a message of a library in one line, without its XML, and without any of the secrets."""
    given = list(secrets)
    text = redacted_line(re.sub(r"<[^<>]*>", " ", redacted_line(message, given)), given)
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _unreachable(endpoint: Endpoint, answer: Answer) -> Finding:
    """Return why nothing answered at all. Windows' firewall drops what it does not let in: that is silence."""
    place = f"{endpoint.address}:{endpoint.port}"
    comes = f"this controller comes as {answer.source}" if answer.source else "this controller has no address there"
    found, step = {
        "unresolved": (
            f"no address for {endpoint.address}",
            "set ansible_host to a name that resolves here, or to the address",
        ),
        "refused": (
            f"{place} refuses: Windows is up and nothing listens",
            f"run {SCRIPT} on the PC, or set ansible_port to WinRM's port",
        ),
        "connect_timeout": (
            f"{place} did not answer within {endpoint.timeout:g} s; {comes}",
            "likely: the PC is off or asleep; it has another address; its firewall lets another address in, or the "
            f"profile in force has changed: run {SCRIPT} -Controller {answer.source or 'ADDRESS'} on the PC",
        ),
        "route": (f"no route to {endpoint.address}: {answer.detail}", "see the network and the VPN of this controller"),
        "proxy": ("a proxy of this controller refused", "set ansible_psrp_ignore_proxy to true, or NO_PROXY"),
    }[answer.kind]
    return Finding("reach", "Reach", FAIL, found, "WinRM answers", step)


def _trust(endpoint: Endpoint, answer: Answer) -> Finding:
    """Return what is wrong with the certificate."""
    shown = answer.certificate
    file = endpoint.trust or "ansible_psrp_ca_cert"
    names = ", ".join(shown.names) if shown and shown.names else "none"
    found, step = f"{answer.detail} ({answer.code})", "see docs/windows.md, step 1"
    if answer.code in UNKNOWN_ISSUER:
        whose = "signed by itself" if shown and shown.self_signed else "of an authority"
        found = f"a certificate {whose} that is not among the trusted ones"
        step = f"append the file that {SCRIPT} left on the PC, or your CA, to {file}"
    elif answer.code in (HOSTNAME, ADDRESS):
        found = f"a certificate for {names}"
        step = (
            f"set ansible_host to one of them, or run {SCRIPT} -Name {endpoint.address} on the PC and append its file"
        )
    elif answer.code == EXPIRED:
        found = f"a certificate that ended on {shown.not_after:%Y-%m-%d}" if shown else "a certificate that has ended"
        step = f"run {SCRIPT} on the PC again, and replace its certificate in {file}"
    elif answer.code == NOT_YET_VALID:
        found, step = "a certificate that is not good yet", "compare the clocks of the PC and of this controller"
    return Finding("tls", "TLS", FAIL, found, f"a trusted certificate for {endpoint.address}", step)


def _tls(endpoint: Endpoint, answer: Answer, now: datetime) -> Finding:
    """Return how TLS stands where there was an answer."""
    expected = f"a trusted certificate for {endpoint.address}"
    if not endpoint.secure:
        step = "messages are sealed by the logon; HTTPS is what docs/windows.md sets up"
        return Finding("tls", "TLS", UNKNOWN, "plain HTTP", expected, step)
    until = f", good until {answer.certificate.not_after:%Y-%m-%d}" if answer.certificate else ""
    if endpoint.trust is None:
        step = "set ansible_psrp_cert_validation to validate, and ansible_psrp_ca_cert"
        return Finding("tls", "TLS", UNKNOWN, f"a certificate that nobody looked at{until}", expected, step)
    if answer.certificate and answer.certificate.not_after - now < SOON:
        return Finding(
            "tls", "TLS", UNKNOWN, f"trusted{until}", expected, f"run {SCRIPT} on the PC again: it renews it"
        )
    return Finding("tls", "TLS", PASS, f"trusted{until}", expected)


def _service(endpoint: Endpoint, answer: Answer, auth: str) -> Finding:
    """Return whether it is WinRM that answered, and offers the authentication that is asked for."""
    expected = f"WinRM, with logon by {auth}"
    found = f"HTTP {answer.status}, logon by {', '.join(answer.auth_methods) or 'nothing'}"
    asked = {"negotiate", "kerberos"} if auth in NEGOTIATED else {auth}
    if auth == "certificate" or (answer.status == 401 and asked & set(answer.auth_methods)):
        return Finding("service", "WinRM", PASS, found, expected)
    step = f"set ansible_psrp_auth to one that is offered ({', '.join(answer.auth_methods)})"
    if not answer.auth_methods:
        step = f"another program answers at {endpoint.url}: set ansible_port, or see the listeners of WinRM on the PC"
    return Finding("service", "WinRM", FAIL, found, expected, step)


def connection_checks(endpoint: Endpoint, answer: Answer, auth: str, now: datetime | None = None) -> list[Finding]:
    """Return how far a connection gets before anybody logs on; the last row is the one that failed."""
    if answer.kind in UNREACHABLE:
        return [_unreachable(endpoint, answer)]
    rows = [
        Finding("reach", "Reach", PASS, f"{endpoint.address}:{endpoint.port}, from {answer.source}", "WinRM answers")
    ]
    if answer.kind == "trust":
        return [*rows, _trust(endpoint, answer)]
    if answer.kind != "answer":
        found = {
            "read_timeout": f"no answer within {endpoint.timeout:g} s after connecting",
            "reset": "the connection was closed at once",
            "tls": f"no TLS: {answer.detail}",
        }.get(answer.kind, cleaned(answer.detail))
        step = (
            "likely: plain HTTP listens there (set ansible_port to 5986), the listener lost its certificate "
            f"(run {SCRIPT} on the PC), or something between inspects TLS"
        )
        return [
            *rows,
            Finding("tls", "TLS", FAIL, found, "an answer over TLS" if endpoint.secure else "an answer", step),
        ]
    return [*rows, _tls(endpoint, answer, now or datetime.now(timezone.utc)), _service(endpoint, answer, auth)]


#: What a connection's error says -> what was found, and the likely causes. English: it is a library that speaks.
_REFUSED = (
    KnownError(
        r"failed to authenticate|credentials were rejected|Permission denied|401",
        "user or password was refused",
        "likely: a typing error in ansible_user (ready, or ACME\\ready) or in the vault's password; the account is "
        "locked, disabled or its password has ended; an account of Entra ID, or one with a PIN alone, has no password "
        "that counts here; a policy denies it the logon over the network (SeDenyNetworkLogonRight) or refuses NTLM",
        ignore_case=False,
    ),
    KnownError(
        r"Code: 5\b|Access is denied",
        "the password is right, and the session is denied",
        "likely: the account is no administrator; or it is a local one and LocalAccountTokenFilterPolicy is not 1: run "
        f"{SCRIPT} on the PC",
        ignore_case=False,
    ),
    KnownError(
        r"Kerberos|krb5|GSS",
        "Kerberos gave no ticket",
        "likely: ansible_host is not the name that the domain knows the PC by, ansible_user lacks @REALM, or the "
        "clocks are more than five minutes apart; a local account has no Kerberos: ansible_psrp_auth: negotiate",
        ignore_case=False,
    ),
    KnownError(
        r"[Tt]imed? ?out|ReadTimeout",
        "the PC took the logon and did not answer in time",
        "likely: it is just starting, or busy; run this again, then see the service WinRM on the PC",
        ignore_case=False,
    ),
)


def login_fault(message: str, user: str, secrets: Iterable[str] = ()) -> Finding:
    """Return why nobody could log on, from the message of the connection."""
    text = cleaned(message, secrets)
    if known := first_match(_REFUSED, text):
        found = f"{known.cause} ({user})"
        return Finding("login", "Logon", FAIL, found, "a session as an administrator", known.next)
    return Finding("login", "Logon", FAIL, text, "a session as an administrator", "run with -vvv to see what is sent")


def _batch(rights: list[str], *, elevated: bool) -> Finding:
    """Return whether tasks with a stored password can run as the account."""
    expected = "the right to log on as a batch job"
    if "SeDenyBatchLogonRight" in rights:
        step = "take the account and its groups out of SeDenyBatchLogonRight, in secpol.msc or the domain's policy"
        return Finding("batch", "Batch logon", FAIL, "denied by a policy", expected, step)
    if "SeBatchLogonRight" in rights:
        return Finding("batch", "Batch logon", PASS, "may", expected)
    if not elevated:
        return Finding("batch", "Batch logon", UNKNOWN, "not known: only an administrator sees its rights", expected)
    step = f"run {SCRIPT} on the PC; where a domain's policy sets this right, add the account there"
    return Finding("batch", "Batch logon", FAIL, "not among the account's rights", expected, step)


def rights(who: Mapping[str, Any]) -> Iterator[Finding]:
    """Yield who it is that logged on, and what it may do; `who` is what ansible.windows.win_whoami returned."""
    account, level = who["account"], str(who["label"]["sid"])
    name = f"{account['domain_name']}\\{account['account_name']}"
    service = SERVICE_ACCOUNTS.get(str(account["sid"]))
    yield Finding(
        "login",
        "Logon",
        FAIL if service else PASS,
        f"{name} ({who['logon_type']}, {who['authentication_package']})",
        "a person's account: WSL cannot run as SYSTEM" if service else "a session as an administrator",
        "connect as the account that is to own WSL" if service else "",
    )
    elevated = level in ELEVATED
    yield Finding(
        "rights",
        "Rights",
        PASS if elevated else FAIL,
        "an elevated administrator" if elevated else f"not elevated ({who['label']['account_name']})",
        "an elevated administrator",
        ""
        if elevated
        else f"make it an administrator; a local one needs LocalAccountTokenFilterPolicy=1: {SCRIPT} does both",
    )
    yield _batch(list(who.get("rights") or []), elevated=elevated)
