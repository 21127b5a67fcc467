# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""How a store is asked inside its own container, by what its image has: no driver, no published port.

At that moment no client reaches it. Passwords are read there from the config volume and stay in the shell that reads
them.
"""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from ..common.output_excerpt import excerpt
from ..docker import execute
from ..docker.state import EngineError

if TYPE_CHECKING:
    from docker.models.containers import Container

_HTTP = """
set -euo pipefail
auth=
if [[ -n $3 ]]; then
  auth="Authorization: Basic $(printf '%s:%s' "$3" "$(</run/ready/secrets/monitor)" | base64 -w0)"$'\\r\\n'
fi
exec 3<>"/dev/tcp/127.0.0.1/$1"
printf '%s HTTP/1.0\\r\\nHost: localhost\\r\\n%sContent-Type: application/json\\r\\nContent-Length: %d\\r\\n\\r\\n%s' \
  "$2" "$auth" "$(printf '%s' "$4" | wc -c)" "$4" >&3
timeout 60 cat <&3
"""


def run(container: Container, command: list[str]) -> str:
    """Return what a command prints inside a container. Raises EngineError when it fails."""
    done = execute.run(container, command)
    text = done.output.decode(errors="replace")
    if done.exit_code != 0:
        raise EngineError(f"{container.name}: {command[0]} ended with {done.exit_code}: {excerpt(text)}")
    return text


def ask_http(container: Container, port: str, line: str, login: str, body: str) -> Any:
    """Return the JSON that a store answers over HTTP. Raises EngineError.

    Args:
        container: the store's.
        port: in the container.
        line: method and path, such as "GET /".
        login: of the account `monitor`; "" for none.
        body: JSON, or "".
    """
    return http_body(run(container, ["/bin/bash", "-c", _HTTP, "-", port, line, login, body]))


def http_body(answer: str) -> Any:
    """Return the JSON of an HTTP answer. Raises EngineError unless its status is 2xx."""
    head, _, body = answer.partition("\r\n\r\n")
    if not re.match(r"HTTP/1\.[01] 2\d\d", head):
        raise EngineError(f"found {head.splitlines()[:1]} {body[:300]!r}, expected an answer 200")
    return json.loads(body)
