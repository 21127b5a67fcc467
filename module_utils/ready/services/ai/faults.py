# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whose fault it is that an AI endpoint gave no answer: its own, or one of settings and network on this side.

No text of the endpoint's is repeated: it may hold a part of the key, or of the prompt.
"""

from __future__ import annotations

import errno
import re
import socket
import ssl
from collections.abc import Iterator
from dataclasses import dataclass

from ...checks.probe import CheckError, FaultError

ENDPOINT, OURS = "fault of the endpoint", "fault on this side"
#: An error's code as it is repeated: a word, such as model_not_found.
_CODE = re.compile(r"[A-Za-z][A-Za-z0-9_.-]{0,59}")
#: Codes of a prompt that is longer than the model's context: OpenAI's, llama.cpp's.
_TOO_LONG = ("context_length_exceeded", "exceed_context_size_error")
_NO_ROUTE = (errno.ENETUNREACH, errno.EHOSTUNREACH)


class LateError(CheckError):
    """The whole answer was not there in time."""


@dataclass(frozen=True)
class Steps:
    """The next step for each kind of fault."""

    endpoint: str
    key: str
    model: str
    dimensions: str
    address: str
    certificate: str
    limit: str
    keys: str  #: too many wrong keys from this address
    queue: str  #: too many requests at once
    length: str  #: a prompt longer than the model's context
    size: str  #: a request larger than what is taken
    request: str  #: any other request that is not taken


LOCAL = Steps(
    endpoint="./ready logs --service ai",
    key="./ready secrets rotate --service ai sets new keys; then ./ready env --secrets for applications",
    model="./ready up starts the models that the inventory names",
    dimensions="./ready up starts the models that the inventory names",
    address="./ready status; ./ready up starts it again if it is down",
    certificate="./ready up renews it",
    limit="wait, or set ai_rate higher, then ./ready up",
    keys="find the client with an old key and give it ./ready env --secrets; requests are answered 10 s after its last",
    queue="send fewer requests at once, or set at_once of ai_gateway higher, then ./ready up",
    length="set context_tokens of ai_settings higher, then ./ready up",
    size="set body_bytes of ai_gateway higher, then ./ready up",
    request="./ready logs --service ai",
)
EXTERNAL = Steps(
    endpoint="ask the provider (its status page), then ./ready check",
    key="./ready secrets set --service ai takes the key that the provider has given out",
    model="correct chat and embedding of ai_endpoint: models that the endpoint lists, on Azure its deployments",
    dimensions="correct dimensions of ai_endpoint, or the model that embedding names there",
    address="correct base_url (most end with /v1) or proxy of ai_endpoint, or the name service",
    certificate="give the CA that signed it as ca of ai_endpoint",
    limit="wait, or buy a higher limit",
    keys="find the client with a wrong key, or ask the provider",
    queue="send fewer requests at once, or ask the provider",
    length="name a chat model with a larger context in ai_endpoint",
    size="ask the provider, or who runs the proxy, for the largest request",
    request="name models in ai_endpoint that take such a request: chat for text, embedding for vectors",
)


def _chain(error: BaseException) -> Iterator[BaseException]:
    """Yield an error and what it came from; drivers wrap the system's errors."""
    seen: BaseException | None = error
    while seen is not None:
        yield seen
        seen = seen.__cause__ or seen.__context__


def status_fault(status: int, code: str, retry_after: str, asked: str, steps: Steps) -> FaultError:
    """Return what an HTTP status other than 200 says.

    Args:
        status: of the answer.
        code: the error's code in its JSON, "" for none.
        retry_after: the header, "" for none.
        asked: what was asked for.
        steps: the next steps.
    """
    found = f"HTTP {status}" + (f" ({code})" if _CODE.fullmatch(code) else "")
    if status in (401, 403):
        return FaultError(OURS, asked, found, "the key to be accepted", steps.key)
    if status == 407:
        found += ", a proxy that asks for a login"
        return FaultError(OURS, asked, found, "a way to the endpoint", steps.address)
    if status == 429:
        if retry_after.isdigit() and code != "insufficient_quota":  # that one no waiting helps
            found += f", Retry-After {retry_after}"
        return _too_many(code, found, asked, steps)
    if status == 404 and "model" not in code.lower() and "deployment" not in code.lower():
        return FaultError(OURS, asked, found, "an OpenAI API at the base URL", steps.address)
    if status == 404:
        return FaultError(OURS, asked, found, "the model to be there", steps.model)
    if status >= 500:
        return FaultError(ENDPOINT, asked, found, "HTTP 200", steps.endpoint)
    if 300 <= status < 400:
        return FaultError(OURS, asked, f"{found}, a redirection", "an OpenAI API at the base URL", steps.address)
    kind = "length" if code in _TOO_LONG else "size" if status == 413 else "request"
    return FaultError(OURS, asked, found, "HTTP 200", getattr(steps, kind))


def _too_many(code: str, found: str, asked: str, steps: Steps) -> FaultError:
    """Return what a 429 says: gateways and providers have several by this one status."""
    whose, why, step = {
        "insufficient_quota": (ENDPOINT, "its account has no quota left", steps.limit),
        "too_many_wrong_keys": (OURS, "too many wrong keys come from this address", steps.keys),
        "queue_full": (ENDPOINT, "too many requests are waiting", steps.queue),
    }.get(code, (ENDPOINT, "the limit of this key is used up", steps.limit))
    return FaultError(whose, asked, found, f"an answer; {why}", step)


def content_fault(content_type: str, expected: str, asked: str, steps: Steps) -> FaultError:
    """Return what an answer of another kind says, such as a proxy's page in HTML."""
    found = content_type.partition(";")[0].strip() or "no content type"
    return FaultError(ENDPOINT, asked, found, expected, f"{steps.endpoint}; or {steps.address}")


def network_fault(error: BaseException, asked: str, steps: Steps) -> FaultError:
    """Return what an error of the connection, or in the middle of an answer, says."""
    for its in _chain(error):
        if isinstance(its, LateError):
            return FaultError(ENDPOINT, asked, str(its), "a whole answer", steps.endpoint)
        if isinstance(its, socket.gaierror):
            return FaultError(OURS, asked, "no address for the host's name", "one", steps.address)
        if isinstance(its, ConnectionRefusedError):
            return FaultError(OURS, asked, "the connection refused", "a server that listens", steps.address)
        if isinstance(its, OSError) and its.errno in _NO_ROUTE:
            return FaultError(OURS, asked, "no route to the host", "one", steps.address)
        if isinstance(its, ssl.SSLCertVerificationError):
            found = f"a certificate that can't be trusted ({its.verify_message})"
            return FaultError(OURS, asked, found, "one that the given CA signed", steps.certificate)
        if isinstance(its, ssl.SSLError):
            found = f"TLS that fails ({its.reason or type(its).__name__})"
            return FaultError(ENDPOINT, asked, found, "a handshake", f"{steps.endpoint}; or {steps.address}")
    names = [type(its).__name__ for its in _chain(error)]
    if any("Proxy" in name for name in names):
        return FaultError(OURS, asked, "a proxy that refuses", "a way to the endpoint", steps.address)
    if "ConnectTimeout" in names:
        return FaultError(OURS, asked, "no connection in time", "a server that listens", steps.address)
    if "UnsupportedProtocol" in names:
        return FaultError(OURS, asked, "an address without http:// or https://", "one with it", steps.address)
    if "InvalidURL" in names:
        return FaultError(OURS, asked, "an address that is none", "a URL", steps.address)
    if any("Timeout" in name for name in names):
        return FaultError(ENDPOINT, asked, "no answer in time", "one", steps.endpoint)
    return FaultError(ENDPOINT, asked, f"an answer that breaks off ({names[-1]})", "a whole one", steps.endpoint)
