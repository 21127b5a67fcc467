# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Test the connection to a Windows host step by step, and say where it ends and why."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleConnectionFailure
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.cli.table import render_for
from ready.common.finding import Finding  # Ansible offers module_utils to modules alone
from ready.common.verdict import FAIL, PASS, UNKNOWN
from ready.preflight.checks import failure_text
from ready.windows import ping, winrm_answer, winrm_request

PSRP = "psrp"
HTTP = 5985
COLUMNS = [
    {"key": "title", "title": "what"},
    {"key": "verdict", "title": "verdict"},
    {"key": "found", "title": "found"},
    {"key": "next", "title": "next"},
]


class ActionModule(ActionBase):
    """See library/windows_ping.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Ask for the greeting, log on, ask who it is; show the rows, and end as the last one says."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        host = str((task_vars or {})["inventory_hostname"])
        _, args = self.validate_argument_spec({"timeout": {"type": "int", "default": 10}})
        away, checks = self._look(args["timeout"], task_vars)
        rows = [asdict(check) for check in checks]
        display = Display()
        title = f"{host}: the way in, by {self._connection.ansible_name.rpartition('.')[2]}"
        display.display(render_for(display, title=title, columns=COLUMNS, rows=rows, lines=[]))
        result.update(changed=False, checks=rows)
        message = failure_text(host, rows)
        if away:  # Ansible counts it as unreachable, which no failed host is
            raise AnsibleConnectionFailure(message)
        return result | ({"failed": True, "msg": message} if message else {})

    def _look(self, timeout: int, task_vars: dict[str, Any] | None) -> tuple[bool, list[Finding]]:
        """Return whether the host is away, and what was found, up to the first step that fails."""
        checks: list[Finding] = []
        if self._connection.ansible_name.rpartition(".")[2] == PSRP:
            endpoint, auth = self._endpoint(timeout)
            if endpoint.trust and not Path(endpoint.trust).exists():
                step = "put the PCs' certificates there (docs/windows.md, step 1), or set ansible_psrp_ca_cert"
                return False, [
                    Finding("tls", "TLS", FAIL, f"no file {endpoint.trust}", "the certificates to trust", step)
                ]
            answer = winrm_request.send(endpoint)
            checks = ping.connection_checks(endpoint, answer, auth)
            if any(check.verdict == FAIL for check in checks):
                return answer.kind in winrm_answer.UNREACHABLE, checks
        else:
            what = "asked for its logon alone: the steps before it are looked at for psrp"
            checks = [Finding("reach", "Reach", UNKNOWN, what, "WinRM answers")]
        return False, [*checks, *self._logged_on(task_vars)]

    def _endpoint(self, timeout: int) -> tuple[winrm_answer.Endpoint, str]:
        """Return where the connection psrp goes, as it reckons its defaults, and how it logs on."""
        get = self._connection.get_option
        port, protocol = get("port"), get("protocol")
        if protocol is None:
            protocol = "http" if port is not None and int(port) == HTTP else "https"
        trust = None if get("cert_validation") == "ignore" else str(get("ca_cert") or "")
        endpoint = winrm_answer.Endpoint(
            address=str(get("remote_addr")),
            port=int(port or (HTTP + (protocol == "https"))),
            secure=protocol == "https",
            path=str(get("path")),
            trust=trust,
            proxy=get("proxy"),
            ignore_proxy=str(get("ignore_proxy")).lower() in ("true", "yes", "1"),
            timeout=float(timeout),
        )
        return endpoint, str(get("auth"))

    def _logged_on(self, task_vars: dict[str, Any] | None) -> list[Finding]:
        """Return what came of the logon: by Ansible's own connection, for that is what is tested."""
        get = self._connection.get_option
        user, secret = str(get("remote_user") or "no user"), str(get("remote_password") or "")
        if not get("remote_password") and str(get("auth")) in ping.NEGOTIATED | {"basic", "credssp"}:
            step = "set ansible_password, in a vault"
            return [Finding("login", "Logon", FAIL, f"no password for {user}", "a session as an administrator", step)]
        try:
            who = self._execute_module("ansible.windows.win_whoami", module_args={}, task_vars=task_vars)
        except Exception as error:  # Kerberos' and NTLM's libraries raise errors of no common kind
            return [ping.login_fault(str(error), user, [secret])]
        if who.get("failed") or "account" not in who:
            answer = ping.cleaned(str(who.get("msg") or "nothing"), [secret])
            step = "likely: a policy or a virus scanner ends PowerShell's scripts; see their logs on the PC"
            logged = Finding("login", "Logon", PASS, user, "a session as an administrator")
            return [logged, Finding("rights", "Rights", FAIL, f"the question failed: {answer}", "an answer", step)]
        return list(ping.rights(who))
