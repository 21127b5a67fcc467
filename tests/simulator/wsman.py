"""WS-Management's envelopes, as far as PSRP needs them ([MS-WSMV], [MS-PSRP])."""

from __future__ import annotations

import base64
import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Sequence
from dataclasses import dataclass

NS = {
    "s": "http://www.w3.org/2003/05/soap-envelope",
    "a": "http://schemas.xmlsoap.org/ws/2004/08/addressing",
    "rsp": "http://schemas.microsoft.com/wbem/wsman/1/windows/shell",
    "w": "http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd",
    "c": "http://schemas.microsoft.com/powershell",
    "x": "http://schemas.xmlsoap.org/ws/2004/09/transfer",
}
#: Codes that pypsrp acts upon: nothing to say within the operation timeout; no such shell, as after a reboot.
TIMED_OUT, NO_SHELL = 2150858793, 2150858843
ACCESS_DENIED = 5
_TIMEOUT = re.compile(r"PT([\d.]+)S")


@dataclass(frozen=True)
class Request:
    """A request, parsed."""

    action: str
    operation: str  # the action's last word: Create, Command, Send, Receive, Signal, Delete, Get
    message: str
    root: ET.Element

    @classmethod
    def parse(cls, raw: bytes) -> Request:
        """Parse an envelope. Raises ParseError."""
        root = ET.fromstring(raw)  # noqa: S314  # from the test's own client
        action = root.findtext(".//a:Action", "", NS)
        return cls(action, action.rsplit("/", 1)[-1], root.findtext(".//a:MessageID", "", NS), root)

    @property
    def shell(self) -> str | None:
        """The id of the shell that it is for."""
        return self.root.findtext('.//w:Selector[@Name="ShellId"]', None, NS)

    @property
    def timeout(self) -> float:
        """Seconds of the operation timeout."""
        found = _TIMEOUT.match(self.root.findtext(".//w:OperationTimeout", "PT20S", NS))
        return float(found[1]) if found else 20.0

    def command_id(self, element: str) -> str | None:
        """Return the pipeline's id that an element names."""
        found = self.root.find(f".//{element}", NS)
        value = found.get("CommandId") if found is not None else None
        return value.upper() if value else None

    def new_shell(self) -> str:
        """Return the id that the client wants for its shell."""
        found = self.root.find(".//rsp:Shell", NS)
        return (found.get("ShellId") if found is not None else None) or str(uuid.uuid4()).upper()

    def payload(self, element: str) -> bytes:
        """Return the PSRP data of an element."""
        return base64.b64decode("".join(item.text or "" for item in self.root.findall(f".//{element}", NS)))


def envelope(action: str, relates_to: str, body: str) -> bytes:
    """Return an answer."""
    spaces = " ".join(f'xmlns:{key}="{value}"' for key, value in NS.items())
    return (
        f"<s:Envelope {spaces}><s:Header><a:Action>{action}</a:Action><a:MessageID>uuid:{uuid.uuid4()}</a:MessageID>"
        f"<a:To>{NS['a']}/role/anonymous</a:To><a:RelatesTo>{relates_to}</a:RelatesTo></s:Header>"
        f"<s:Body>{body}</s:Body></s:Envelope>"
    ).encode()


def fault(relates_to: str, code: int, text: str, subcode: str) -> bytes:
    """Return a fault."""
    return envelope(
        "http://schemas.dmtf.org/wbem/wsman/1/wsman/fault",
        relates_to,
        f"<s:Fault><s:Code><s:Value>s:Receiver</s:Value><s:Subcode><s:Value>{subcode}</s:Value></s:Subcode></s:Code>"
        f'<s:Reason><s:Text xml:lang="en-US">{text}</s:Text></s:Reason><s:Detail><f:WSManFault '
        f'xmlns:f="http://schemas.microsoft.com/wbem/wsman/1/wsmanfault" Code="{code}" Machine="simulator">'
        f"<f:Message>{text}</f:Message></f:WSManFault></s:Detail></s:Fault>",
    )


def created(shell: str) -> str:
    """Return the body that answers Create."""
    return (
        "<x:ResourceCreated><a:Address>http://simulator/wsman</a:Address><a:ReferenceParameters>"
        "<w:ResourceURI>http://schemas.microsoft.com/powershell/Microsoft.PowerShell</w:ResourceURI>"
        f'<w:SelectorSet><w:Selector Name="ShellId">{shell}</w:Selector></w:SelectorSet></a:ReferenceParameters>'
        f"</x:ResourceCreated><rsp:Shell><rsp:ShellId>{shell}</rsp:ShellId>"
        "<rsp:InputStreams>stdin pr</rsp:InputStreams><rsp:OutputStreams>stdout</rsp:OutputStreams></rsp:Shell>"
    )


def received(key: str | None, data: Sequence[bytes], *, done: bool) -> str:
    """Return the body that answers Receive."""
    name = f' CommandId="{key}"' if key else ""
    streams = "".join(
        f'<rsp:Stream Name="stdout"{name}>{base64.b64encode(item).decode()}</rsp:Stream>' for item in data
    )
    state = f"{NS['rsp']}/CommandState/{'Done' if done else 'Running'}"
    ended = f'<rsp:CommandState{name} State="{state}"/>' if key else ""
    return f"<rsp:ReceiveResponse>{streams}{ended}</rsp:ReceiveResponse>"


CONFIG = (
    '<cfg:Config xmlns:cfg="http://schemas.microsoft.com/wbem/wsman/1/config">'
    "<cfg:MaxEnvelopeSizekb>500</cfg:MaxEnvelopeSizekb></cfg:Config>"
)
