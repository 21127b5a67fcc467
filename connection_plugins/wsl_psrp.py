# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Run tasks inside a WSL distro through the PSRP connection of its Windows host."""

from __future__ import annotations

import hashlib
import json
import os
import shlex
import sys
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from ansible import constants
from ansible.errors import (
    AnsibleAuthenticationFailure,
    AnsibleConnectionFailure,
    AnsibleError,
    AnsibleFileNotFound,
)
from ansible.module_utils.common.text.converters import to_bytes, to_text
from ansible.plugins.connection import ConnectionBase
from ansible.plugins.loader import connection_loader, get_shell_plugin
from ansible.utils.display import Display

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.windows import wsl_protocol  # Ansible offers module_utils to modules alone
from ready.windows.running_commands import ConnectionLostError, RunningCommands

DOCUMENTATION = r"""
name: wsl_psrp
author: Ready
version_added: "0.1.0"
short_description: Run tasks inside a WSL distro through the PSRP connection of its Windows host
description:
  - Needs no SSH server and no open port in the distro. Each command is one pipeline on the Windows host, which starts
    C(wsl.exe) and relays standard input, output and error as base64.
  - How to reach Windows is read from the inventory variables of O(wsl_windows_host); nothing is configured twice.
  - A command that a lost connection left running in the distro is dealt with by the next command to that distro, see
    O(wsl_leftover_wait).
requirements: [pypsrp >= 0.9]
options:
  wsl_windows_host:
    description: Inventory name of the Windows host. Its own variables give the PSRP connection.
    type: str
    required: true
    vars: [{name: ansible_wsl_windows_host}]
  wsl_distribution:
    description: Name of the distro.
    type: str
    required: true
    vars: [{name: ansible_wsl_distribution}]
  wsl_user:
    description: Linux user to run as. WSL asks for no password.
    type: str
    default: root
    vars: [{name: ansible_wsl_user}]
  wsl_exe:
    description: Full path of C(wsl.exe). The one in System32 does not work in a remote session.
    type: str
    default: C:\Program Files\WSL\wsl.exe
    vars: [{name: ansible_wsl_exe}]
  wsl_command_timeout:
    description:
      - Seconds that one command may take, after which it is stopped in the distro and the task fails. 0 is no limit.
    type: int
    default: 0
    vars: [{name: ansible_wsl_command_timeout}]
  wsl_leftover_wait:
    description:
      - Seconds that a command left running by a lost connection gets to end by itself before it is stopped (TERM, and
        KILL after 5 seconds) on the next connection.
    type: int
    default: 30
    vars: [{name: ansible_wsl_leftover_wait}]
  wsl_state_dir:
    description: Folder on the controller where the commands under way are noted, one empty file each.
    type: path
    default: ~/.ansible/wsl_psrp
    vars: [{name: ansible_wsl_state_dir}]
    env: [{name: ANSIBLE_WSL_STATE_DIR}]
    ini: [{section: wsl_psrp, key: state_dir}]
"""

ROOT = Path(__file__).resolve().parent.parent
PSRP = "ansible.builtin.psrp"
#: Seconds that stopping a command may take beyond the time that it gets: TERM, 5 seconds, KILL, and a slow start.
STOP_LIMIT = 120
POLL = 4  # pieces of standard input between two looks at the output, which cost a second when there is none
#: Standard input up to this many bytes goes with the command itself, which saves a round trip.
INLINE = 256 * 1024
EXEC = (ROOT / "scripts" / "windows" / "wsl_exec.ps1").read_text()
STOP = (ROOT / "scripts" / "linux" / "stop_leftover.sh").read_text()
display = Display()


def _clixml(data: bytes) -> ET.Element:
    """Return base64 as pypsrp would serialise it, without its searches for what base64 never holds: half the CPU."""
    element = ET.Element("S")
    element.text = wsl_protocol.encode(data)
    return element


class LostError(AnsibleConnectionFailure, ConnectionLostError):
    """The connection to Windows broke while a command ran."""


class Connection(ConnectionBase):
    """Composed of a psrp connection: that class is made for PowerShell, this one for a POSIX shell."""

    transport = "wsl_psrp"
    has_pipelining = True
    always_pipeline_modules = True  # a module is one pipeline, whatever ANSIBLE_PIPELINING says
    allow_executable = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._connected = False
        self._windows: Any = None
        self._windows_vars: dict[str, Any] = {}
        self._looked = False

    # -- the Windows host's connection ---------------------------------------------------------------------------
    def _resolve_option_variables(self, variables: Mapping[str, Any], templar: Any) -> dict[str, Any]:
        """Core calls this with every variable in reach, templated: the place to take those of the Windows host."""
        options: dict[str, Any] = super()._resolve_option_variables(variables, templar)
        name, hosts = options.get("ansible_wsl_windows_host"), variables.get("hostvars")
        if name and hosts is not None:
            if name not in hosts:
                raise AnsibleError(
                    f"{variables.get('inventory_hostname')}: ansible_wsl_windows_host is {name!r}, which is not in the"
                    " inventory; expected the Windows host that the distro runs on. Next: correct the name."
                )
            host = hosts[name]
            windows = self._new_windows()  # loading it makes its options known to the config system
            names = constants.config.get_plugin_vars("connection", windows._load_name)
            self._windows_vars = {key: host[key] for key in names if key in host}
        return options

    def _new_windows(self) -> Any:
        # Without a shell of its own it would take the play's, which is sh.
        return connection_loader.get(PSRP, self._play_context, shell=get_shell_plugin(shell_type="powershell"))

    @property
    def _where(self) -> str:
        return f"{self.get_option('wsl_distribution')} on {self.get_option('wsl_windows_host')}"

    def _connect(self) -> Connection:
        if self._connected:
            return self
        distro, windows = self.get_option("wsl_distribution"), self.get_option("wsl_windows_host")
        if not wsl_protocol.NAME.match(distro):
            raise AnsibleError(
                f"{windows}: ansible_wsl_distribution is {distro!r}; expected letters, digits, dots, dashes and"
                " underscores. Next: correct the name."
            )
        if self._windows is None:
            self._windows = self._new_windows()
            # No task_keys: the task's remote_user and timeout belong to the Linux side.
            self._windows.set_options(var_options=self._windows_vars)
        display.vvv(f"WSL {distro} as {self.get_option('wsl_user')} through {windows}", host=windows)
        try:
            self._windows._connect()
        except AnsibleConnectionFailure as error:
            raise self._unreachable(error) from error
        self._connected = True
        return self

    def _unreachable(self, error: Exception) -> AnsibleConnectionFailure:
        windows, refusal = self.get_option("wsl_windows_host"), to_text(error)
        if "authenticate" in refusal:
            return AnsibleAuthenticationFailure(
                f"{windows}: Windows refused the logon ({refusal}); expected to connect there for the distro"
                f" {self.get_option('wsl_distribution')}. Next: check ansible_user, ansible_password and"
                f" ansible_psrp_auth of {windows}."
            )
        return AnsibleConnectionFailure(
            f"{windows}: Windows does not answer PSRP ({refusal}); expected to connect there for the distro"
            f" {self.get_option('wsl_distribution')}. Next: try the module win_ping on {windows}; PSRP is on port 5986"
            " (HTTPS) or 5985 (HTTP)."
        )

    # -- what a lost connection left ------------------------------------------------------------------------------
    def _running_commands(self) -> RunningCommands:
        state = Path(self.get_option("wsl_state_dir"))
        return RunningCommands(state, self.get_option("wsl_windows_host"), self.get_option("wsl_distribution"))

    def _deal_with_leftovers(self) -> None:
        """Wait for commands whose connection was lost, then stop them; once for each connection."""
        if self._looked:
            return
        self._looked = True
        commands = self._running_commands()
        if tokens := commands.leftovers():
            seconds = self.get_option("wsl_leftover_wait")
            display.warning(
                f"{self._where}: a lost connection left {len(tokens)} command(s) running, or may have; waiting up to"
                f" {seconds} s for them to end before they are stopped."
            )
            self._stop(tokens, seconds)
            commands.forget(tokens)

    def _stop(self, tokens: list[str], seconds: int) -> str:
        """End what carries the tokens, as root: a command may have become another user. Returns ended or stopped."""
        out = bytearray()
        command, limit = wsl_protocol.stop_command(STOP, tokens, seconds), seconds + STOP_LIMIT
        ended, err = self._invoke(command, uuid.uuid4().hex, "root", None, out.extend, limit)
        if ended.why == "timeout":
            raise LostError(  # so that the next connection deals with it
                f"{self._where}: wsl.exe did not answer within {limit} s and was killed; expected it to stop a command."
                " Next: log on as the owner and see whether wsl.exe asks something; then wsl.exe --shutdown."
            )
        if ended.code != 0:
            raise AnsibleConnectionFailure(
                f"{self._where}: what a lost connection left running could not be stopped ({to_text(err).strip()});"
                " expected to be root there. Next: restart the distro with wsl.exe --terminate."
            )
        return out.decode().strip()

    # -- one command ---------------------------------------------------------------------------------------------
    def _run(
        self, command: str, user: str, source: bytes | Iterable[bytes], sink: Callable[[bytes], Any]
    ) -> tuple[int, bytes]:
        """Run a command to its end; what it prints goes to `sink` as it comes. Returns its exit code and stderr."""
        self._connect()
        if not wsl_protocol.USER.match(user):
            raise AnsibleError(
                f"{self._where}: {user!r} is not a name of a Linux user. Next: correct ansible_wsl_user or become_user."
            )
        self._deal_with_leftovers()
        token, timeout = uuid.uuid4().hex, self.get_option("wsl_command_timeout")
        with self._running_commands().track(token):
            ended, err = self._invoke(command, token, user, source, sink, timeout)
            if ended.why == "timeout":
                raise AnsibleError(self._timeout_message(token, timeout))
        return ended.code, err

    def _timeout_message(self, token: str, timeout: int) -> str:
        """Stop what took too long and say which program it was: killing wsl.exe ends the relay, not the command."""
        return wsl_protocol.timeout_message(self._where, self._stop([token], 0), timeout)

    def _invoke(
        self,
        command: str,
        token: str,
        user: str,
        source: bytes | Iterable[bytes] | None,
        sink: Callable[[bytes], Any],
        timeout: int = 0,
    ) -> tuple[wsl_protocol.CommandEnd, bytes]:
        """Run wsl_exec.ps1 once."""
        from pypsrp.complex_objects import PSInvocationState
        from pypsrp.exceptions import WinRMError
        from pypsrp.powershell import PowerShell
        from requests.exceptions import RequestException

        parameters: dict[str, Any] = {
            "Wsl": self.get_option("wsl_exe"),
            "Distro": self.get_option("wsl_distribution"),
            "User": user,
            "Timeout": timeout,
            "Command": wsl_protocol.encode(
                to_bytes(wsl_protocol.command_text(command, token), errors="surrogate_or_strict")
            ),
        }
        feed: Iterable[bytes] | None = None
        if isinstance(source, bytes):
            if len(source) <= INLINE:
                parameters["Stdin"] = wsl_protocol.encode(source)
            else:
                feed = wsl_protocol.chunks(source, self._chunk_size())
        else:
            feed = source
        records = wsl_protocol.Records(sink)
        try:
            pipeline = PowerShell(self._windows.runspace)
            # pypsrp serialises plain values only, not core's tagged ones.
            pipeline.add_script(EXEC, use_local_scope=True).add_parameters(json.loads(json.dumps(parameters)))
            fetch = POLL if isinstance(source, bytes) else 0  # a file's command writes its checksum alone
            pipeline.begin_invoke(self._feed(pipeline, feed, records, fetch) if feed is not None else None)
            while True:  # drain, test, poll, in this order: nothing is lost, and a large output is not kept
                records.take_all(pipeline.output)
                if pipeline.state != PSInvocationState.RUNNING:
                    break
                pipeline.poll_invoke()
        except (WinRMError, RequestException) as error:
            self._windows.runspace = None  # closing it would only fail again
            self._connected = False
            raise LostError(
                f"{self._where}: the connection to Windows was lost while a command ran ({error}). What it left running"
                " is dealt with on the next connection. Next: run again."
            ) from error
        return self._judge(records, [str(item) for item in pipeline.streams.error], user)

    @staticmethod
    def _feed(
        shell: Any, feed: Iterable[bytes], records: wsl_protocol.Records, fetch: int
    ) -> Iterator[list[ET.Element]]:
        """Yield standard input as pypsrp takes it. What is written meanwhile is fetched, or both ends would wait."""
        from pypsrp.complex_objects import PSInvocationState

        for number, data in enumerate(feed, 1):
            yield [_clixml(data)]
            empty = 0 if fetch and number % fetch == 0 else 2
            while empty < 2 and shell.state == PSInvocationState.RUNNING:
                shell.poll_invoke(timeout=1)
                empty = 0 if shell.output else empty + 1  # once may be the first half of a record
                records.take_all(shell.output)

    def _judge(
        self, records: wsl_protocol.Records, errors: list[str], user: str
    ) -> tuple[wsl_protocol.CommandEnd, bytes]:
        """Tell a Linux command's end from everything that kept it from running."""
        ended = records.end
        if ended is None:
            text = "; ".join([*errors, *records.other])[:500] or "nothing"
            raise AnsibleConnectionFailure(
                f"{self._where}: wsl_exec.ps1 ended without a result; Windows said: {text}. Next: see that the account"
                " may run scripts in a full-language PowerShell session."
            )
        if ended.why == "start":
            raise AnsibleConnectionFailure(
                f"{self._where}: wsl.exe could not be started ({ended.message}); expected it at"
                f" {self.get_option('wsl_exe')}. Next: install the MSI of WSL, or set ansible_wsl_exe."
            )
        if ended.why == "exit" and (found := wsl_protocol.wsl_failure(ended.code, bytes(records.head + records.err))):
            kind = AnsibleConnectionFailure
            if found.user_missing and user != self.get_option("wsl_user"):
                kind = AnsibleError  # become_user is the task's, the host is well
            raise kind(f"{self._where}, as {user}: {found.cause}. Next: {found.next_step}")
        return ended, bytes(records.err)

    def _chunk_size(self) -> int:
        self._connect()
        return wsl_protocol.chunk_size(self._windows.runspace.connection.max_payload_size)

    def _user(self, sudoable: bool = True) -> str:
        if sudoable and self.become is not None and self.become.name == "wsl_user":
            return self.become.get_option("become_user", playcontext=self._play_context) or "root"
        return str(self.get_option("wsl_user"))

    def exec_command(self, cmd: str, in_data: bytes | None = None, sudoable: bool = True) -> tuple[int, bytes, bytes]:
        """Run a command and return its exit code, output and errors."""
        super().exec_command(cmd, in_data=in_data, sudoable=sudoable)
        user, out = self._user(sudoable), bytearray()
        become = self.become if sudoable else None
        if become is not None and (trap := wsl_protocol.password_prompt_fault(become.name, become.prompt, user)):
            raise AnsibleError(f"{self._where}: {trap}.")
        code, err = self._run(cmd if in_data else wsl_protocol.boot_command(cmd), user, in_data or b"", out.extend)
        return code, bytes(out), err

    # -- files: one pipeline each, in pieces ---------------------------------------------------------------------
    def put_file(self, in_path: str, out_path: str) -> None:
        """Copy a file into the distro and compare its SHA-256."""
        super().put_file(in_path, out_path)
        if not os.path.exists(to_bytes(in_path)):
            raise AnsibleFileNotFound(f"{in_path}: there is no such file to copy into {self._where}")
        digest, out, size = hashlib.sha256(), bytearray(), self._chunk_size()

        def read() -> Iterator[bytes]:
            with open(to_bytes(in_path), "rb") as file:
                while data := file.read(size):
                    digest.update(data)
                    yield data

        small = os.path.getsize(to_bytes(in_path)) <= INLINE
        # The sum is made of what passes, at the same time; tee's own status comes beside it, as a disk may be full.
        command = f"{{ {{ tee -- {shlex.quote(out_path)}; echo $? >&3; }} | sha256sum; }} 3>&1"
        code, err = self._run(command, self._user(sudoable=False), b"".join(read()) if small else read(), out.extend)
        words = out.split()
        if code or b"0" not in words:
            raise AnsibleError(f"{self._where}: {out_path} could not be written: {to_text(err).strip()}")
        if digest.hexdigest().encode() not in words:
            raise AnsibleError(f"{self._where}: what arrived as {out_path} differs from {in_path}. Next: run again.")

    def fetch_file(self, in_path: str, out_path: str) -> None:
        """Copy a file out of the distro; nothing is left at `out_path` unless all of it came."""
        super().fetch_file(in_path, out_path)
        part = Path(f"{out_path}.part")
        try:
            with part.open("wb") as file:
                code, err = self._run(f"cat < {shlex.quote(in_path)}", self._user(), b"", file.write)
            if code:
                raise AnsibleError(f"{self._where}: {in_path} could not be read: {to_text(err).strip()}")
            part.replace(out_path)
        finally:
            part.unlink(missing_ok=True)

    def reset(self) -> None:
        """Reconnect."""
        self.close()
        self._connect()

    def close(self) -> None:
        """Close the runspace, if the connection still stands."""
        if self._windows is not None:
            try:
                self._windows.close()
            except Exception as error:  # the connection has gone: there is nothing to close
                display.debug(f"{self._where}: the runspace could not be closed: {error}")
        self._windows = None
        self._connected = self._looked = False
