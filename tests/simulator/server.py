"""A Windows host on the wire: PSRP over WSMan, over TLS or plain HTTP, with Basic or Negotiate (NTLM) logon."""

from __future__ import annotations

import base64
import contextlib
import json
import os
import re
import socket
import ssl
import sys
import threading
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import spnego
import spnego.exceptions

from tests.simulator import wsman
from tests.simulator.host import Host
from tests.simulator.session import Shell
from tests.simulator.tls import Certificates
from tests.simulator.work import Work

SOAP = "application/soap+xml;charset=UTF-8"
_CHALLENGES = {"basic": 'Basic realm="WSMAN"', "negotiate": "Negotiate"}


@dataclass(frozen=True)
class Action:
    """Something that was asked of the host."""

    kind: str  # script, module, helper, raw, logon, refused, away, back
    name: str
    detail: Any


class _Handler(BaseHTTPRequestHandler):
    """One TCP connection."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Listener
    context: Any = None  # NTLM belongs to a connection
    token: bytes | None = None

    def setup(self) -> None:
        """Remember the connection, so that it can be cut."""
        self.server.sockets.add(self.request)
        super().setup()

    def finish(self) -> None:
        """Forget the connection."""
        self.server.sockets.discard(self.request)
        with contextlib.suppress(OSError):
            super().finish()

    def log_message(self, *_: Any) -> None:
        """Say nothing: the record says it."""

    def _answer(self, code: int, body: bytes, kind: str = SOAP, challenges: Sequence[str] = ()) -> None:
        self.send_response(code)
        for text in challenges:
            self.send_header("WWW-Authenticate", text)
        if body:
            self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def _challenge(self, *values: str) -> bool:
        self._answer(401, b"", challenges=values or [_CHALLENGES[item] for item in self.server.owner.auth])
        return False

    def _logged_on(self) -> bool:
        """Check who asks, and answer 401 where that has to be said."""
        owner = self.server.owner
        kind, _, value = self.headers.get("Authorization", "").partition(" ")
        if self.context is not None and self.context.complete and not value:
            return True
        if kind.lower() == "basic" and "basic" in owner.auth:
            user, _, password = base64.b64decode(value).decode().partition(":")
            if owner.host.accounts.get(user) == password:
                return True
            owner.note("refused", user, "basic")
        if kind.lower() in ("negotiate", "ntlm") and "negotiate" in owner.auth:
            return self._negotiate(kind, base64.b64decode(value))
        return self._challenge()

    def _negotiate(self, kind: str, given: bytes) -> bool:
        if self.context is None:
            options = spnego.NegotiateOptions.use_negotiate | spnego.NegotiateOptions.wrapping_winrm
            plain = kind.lower() == "ntlm"
            self.context = spnego.server(
                protocol="ntlm" if plain else "negotiate",
                options=spnego.NegotiateOptions.none if plain else options,
            )
        try:
            out = self.context.step(given)
        except spnego.exceptions.SpnegoError as error:
            self.server.owner.note("refused", kind, str(error)[:160])
            self.context = None
            return self._challenge()
        if self.context.complete:
            self.server.owner.note("logon", self.context.client_principal, self.context.negotiated_protocol)
            self.token = out
            return True
        return self._challenge(f"{kind} {base64.b64encode(out or b'').decode()}")

    def do_POST(self) -> None:  # http.server's name
        """Answer a request."""
        raw = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.token = None
        if not self._logged_on():
            return
        kind = self.headers.get("Content-Type", "")
        sealed = bool(raw) and kind.startswith("multipart/encrypted")
        if sealed:
            raw = self._unseal(raw)
        code, body = self.server.owner.answer(raw) if raw else (200, b"")
        if sealed and body:
            body, kind = self._seal(body, kind)
        token = f"Negotiate {base64.b64encode(self.token).decode()}" if self.token else ""
        self._answer(code, body, kind if sealed else SOAP, [token] if token else [])

    # [MS-WSMV] 2.2.9.1: a part that gives the length, and one with the sealed data.
    def _unseal(self, raw: bytes) -> bytes:
        blob = raw.split(b"Content-Type: application/octet-stream\r\n", 1)[1].rsplit(b"--Encrypted Boundary", 1)[0]
        size = int.from_bytes(blob[:4], "little")
        return bytes(self.context.unwrap_winrm(blob[4 : 4 + size], blob[4 + size :]))

    def _seal(self, body: bytes, asked: str) -> tuple[bytes, str]:
        found = re.search(r'protocol="([^"]+)"', asked)
        protocol = found[1] if found else ""
        header, data, padding = self.context.wrap_winrm(body)
        head = (
            f"--Encrypted Boundary\r\n\tContent-Type: {protocol}\r\n"
            f"\tOriginalContent: type={SOAP};Length={len(body) + padding}\r\n"
            "--Encrypted Boundary\r\n\tContent-Type: application/octet-stream\r\n"
        )
        sealed = head.encode() + len(header).to_bytes(4, "little") + header + data + b"--Encrypted Boundary--\r\n"
        return sealed, f'multipart/encrypted;protocol="{protocol}";boundary="Encrypted Boundary"'


class _Listener(ThreadingHTTPServer):
    """The port, for as long as the host is up."""

    daemon_threads = True
    allow_reuse_address = True

    def __init__(self, owner: Server, port: int) -> None:
        self.owner = owner
        self.sockets: set[socket.socket] = set()
        self._closing = threading.Event()
        super().__init__(("127.0.0.1", port), _Handler)
        if owner.certificates:
            self.socket = owner.certificates.context().wrap_socket(
                self.socket, server_side=True, do_handshake_on_connect=False
            )

    def serve_forever(self, poll_interval: float = 0.5) -> None:
        """Take connections until `shutdown`, asleep in accept(): dozens of hosts that poll take processor time."""
        del poll_interval
        while not self._closing.is_set():
            self._handle_request_noblock()  # type: ignore[attr-defined]

    def shutdown(self) -> None:
        """End `serve_forever`: accept() fails on a socket that is shut down."""
        self._closing.set()
        with contextlib.suppress(OSError):
            self.socket.shutdown(socket.SHUT_RDWR)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Stay quiet about clients that have gone."""
        if not isinstance(sys.exc_info()[1], (OSError, ssl.SSLError)):
            super().handle_error(request, client_address)


class _Followers:
    """One thread for all servers: each looks several times a second whether its host is up."""

    def __init__(self) -> None:
        self._servers: set[Server] = set()
        self._lock = threading.Lock()
        self._follows = False

    def add(self, server: Server) -> None:
        """Follow a host's reboots from now on."""
        with self._lock:
            self._servers.add(server)
            if not self._follows:
                self._follows = True
                threading.Thread(target=self._follow, daemon=True).start()

    def remove(self, server: Server) -> None:
        """Follow them no longer."""
        with self._lock:
            self._servers.discard(server)

    def _follow(self) -> None:
        while True:
            with self._lock:
                servers = list(self._servers)
                self._follows = bool(servers)
            if not servers:
                return
            for server in servers:
                server.follow()
            time.sleep(0.05)


_FOLLOWERS = _Followers()


class Server:
    """Serves one host until `stop`; while the host is not reachable its port is closed and its shells are gone."""

    def __init__(
        self,
        host: Host,
        certificates: Certificates | None = None,
        auth: Sequence[str] = ("basic",),
        port: int = 0,
        log: Path | None = None,
    ) -> None:
        self.host = host
        self.certificates = certificates
        self.auth = tuple(auth)
        self.port = port
        self.record: list[Action] = []
        self.trips: Counter[str] = Counter()
        self.log = log
        self._lock = threading.Lock()
        self._shells: dict[str, Shell] = {}
        self._listener: _Listener | None = None
        self._ended = threading.Event()
        self._listening = threading.Event()
        self._place: socket.socket | None = None
        self._work = Work(host, self.note)

    def start(self) -> Server:
        """Listen, and follow the host's reboots."""
        self._open()
        _FOLLOWERS.add(self)
        return self

    def stop(self) -> None:
        """Close the port for good."""
        self._ended.set()
        _FOLLOWERS.remove(self)
        self._close()
        if self._place:
            self._place.close()

    def wait(self, seconds: float = 180) -> None:
        """Wait until the port is open, as it is again soon after the host came back. Raises TimeoutError."""
        if not self._listening.wait(seconds):
            raise TimeoutError(f"{self.host.name} did not come back within {seconds:g} s")

    def _open(self) -> None:
        if self._place is None:  # bound, and never listening: nobody else gets the port while the host is away
            self._place = socket.socket()
            self._place.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._place.bind(("127.0.0.1", self.port))
            self.port = int(self._place.getsockname()[1])
        self._listener = _Listener(self, self.port)
        threading.Thread(target=self._listener.serve_forever, daemon=True).start()
        self._listening.set()

    def _close(self) -> None:
        listener, self._listener = self._listener, None
        if listener is None:
            return
        self._listening.clear()
        listener.shutdown()
        listener.server_close()
        self._cut(listener)
        self.drop_shells()

    @staticmethod
    def _cut(listener: _Listener) -> None:
        for item in list(listener.sockets):
            with contextlib.suppress(OSError):
                item.shutdown(socket.SHUT_RDWR)

    def cut(self) -> None:
        """Cut every connection; port, shells and what runs in them stay, as when a network fails."""
        if self._listener:
            self._cut(self._listener)

    def drop_shells(self) -> None:
        """End every shell and what waits in it, as a reboot does."""
        for shell in list(self._shells.values()):
            shell.close()
        self._shells.clear()

    def follow(self) -> None:
        """Open or close the port, as the host is up or not."""
        up = self.host.reachable()
        if not up and self._listener:
            self.note("away", self.host.name, None)
            self._close()
        elif up and not self._listener and not self._ended.is_set():
            self._open()
            self.note("back", self.host.name, None)

    def note(self, kind: str, name: str, detail: Any) -> None:
        """Record an action, in memory and as a line of the log."""
        action = Action(kind, name, detail)
        with self._lock:
            self.record.append(action)
            if self.log:
                with self.log.open("a") as stream:
                    stream.write(json.dumps({"time": round(time.time(), 3)} | asdict(action), default=str) + "\n")

    def names(self, kind: str) -> list[str]:
        """Return the names of what was asked, of one kind, in order."""
        return [action.name for action in self.record if action.kind == kind]

    def answer(self, raw: bytes) -> tuple[int, bytes]:
        """Return HTTP status and envelope for a request."""
        request = wsman.Request.parse(raw)
        with self._lock:
            self.trips[request.operation] += 1
        shell = self._shells.get(request.shell) if request.shell else None
        if request.shell and shell is None:
            text = "The shell was not found on the server."
            return 500, wsman.fault(request.message, wsman.NO_SHELL, text, "w:InvalidSelectors")
        if request.operation == "Create" and getattr(self.host, "faults", {}).get("access_denied"):
            # What a token that is not elevated is given: https://github.com/mkellerman/Invoke-CommandAs/issues/31
            return 500, wsman.fault(request.message, wsman.ACCESS_DENIED, "Access is denied.", "w:AccessDenied")
        body = self._create(request) if shell is None else self._ask(request, shell)
        if body is None:
            text = "The WS-Management service cannot complete the operation within the time of OperationTimeout."
            return 500, wsman.fault(request.message, wsman.TIMED_OUT, text, "w:TimedOut")
        return 200, wsman.envelope(f"{request.action}Response", request.message, body)

    def _create(self, request: wsman.Request) -> str:
        if request.operation != "Create":
            return wsman.CONFIG
        key = request.new_shell()
        self._shells[key] = Shell(key, self._work)
        self._shells[key].feed(request.payload("c:creationXml"))
        return wsman.created(key)

    def _ask(self, request: wsman.Request, shell: Shell) -> str | None:
        """Return the body of an answer about a shell; None when the operation timed out."""
        if request.operation == "Command":
            key = request.command_id("rsp:CommandLine") or ""
            shell.command(key)
            shell.feed(request.payload("rsp:Arguments"), key)
            return f"<rsp:CommandResponse><rsp:CommandId>{key}</rsp:CommandId></rsp:CommandResponse>"
        if request.operation == "Send":
            shell.send(request.payload("rsp:Stream"), request.command_id("rsp:Stream"))
            return "<rsp:SendResponse/>"
        if request.operation == "Receive":
            wanted = request.command_id("rsp:DesiredStream")
            got = shell.receive(wanted, request.timeout)
            return None if got is None else wsman.received(wanted, got[0], done=got[1])
        if request.operation == "Signal":
            pipeline = shell.pipelines.get(request.command_id("rsp:Signal") or "")
            if pipeline and not pipeline.done:
                pipeline.stop()
            return "<rsp:SignalResponse/>"
        if request.operation == "Delete":
            shell.close()
            self._shells.pop(shell.key, None)
            return ""
        return wsman.CONFIG


def ntlm_accounts(directory: Path, hosts: Sequence[Host]) -> None:
    r"""Let pyspnego's acceptor know the accounts. It reads one file for the whole process, so hosts share users.

    A client may say "owner" or "PC1\\owner": each spelling needs a line of its own.
    """
    lines = {
        f"{domain}:{user}:{password}"
        for host in hosts
        for user, password in host.accounts.items()
        for domain in ("", host.name.upper())
    }
    path = directory / "ntlm-accounts"
    path.touch(mode=0o600)
    path.write_text("\n".join(sorted(lines)) + "\n")
    os.environ["NTLM_USER_FILE"] = str(path)
