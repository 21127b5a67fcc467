# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""End a run over several hosts with how each of them stands."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ansible import constants as C  # noqa: N812 - as Ansible's own code calls it
from ansible import context
from ansible.plugins.callback import CallbackBase

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))  # Ansible offers module_utils to modules alone

from ready.common.clock import timestamp  # noqa: E402

if TYPE_CHECKING:  # every ansible-playbook loads this file, and few runs print a summary
    from ready.evidence.machines import Machine

DOCUMENTATION = r"""
name: ready_fleet
type: aggregate
short_description: End a run over several hosts with how each of them stands
description:
  - After C(site.yml), C(up), C(windows) and C(check), leaves how the run ended on each host as evidence C(run); a
    part of a run (C(--tags)) leaves none. Over an inventory of more than one host, prints the summary that
    C(./ready fleet) makes of all evidence.
  - A host that could not be reached leaves nothing itself, and a playbook that failed on all hosts runs no further
    play. So no task can report either.
requirements: [enabled in C(ansible.cfg)]
"""

#: The percentage of failed hosts that no batch exceeds.
_ALL = 100
_ENDED = (
    "ended with its batch, of which more hosts failed than ready_max_fail_percentage allows. "
    "Next: fix the reported faults, then run again"
)
PLAYBOOKS = ("site", "up", "windows", "check")


class CallbackModule(CallbackBase):
    """See DOCUMENTATION."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "ready_fleet"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self) -> None:
        super().__init__()
        self._playbook = ""
        self._play: Any = None
        self._started = datetime.now(timezone.utc)
        self._said: dict[str, tuple[str, str]] = {}  # host -> task and message of its last failure
        self._batch: set[str] = set()  # hosts of the play, or of its batch, that a task was started for
        self._seen: set[str] = set()  # hosts that anything was asked of: to be noted as one of the run is not enough
        self._cut: set[str] = set()  # hosts that did not fail, and whose batch was ended

    def v2_playbook_on_start(self, playbook: Any) -> None:
        """Note which playbook it is."""
        path = Path(str(playbook._file_name)).absolute()
        ours = path.parent in {ROOT, ROOT / "playbooks"}
        self._playbook = path.stem if ours and path.stem in PLAYBOOKS else ""

    def v2_playbook_on_play_start(self, play: Any) -> None:
        """Note a path to the inventory. This comes once for each batch."""
        self._play = play
        self._batch = set()

    def v2_runner_on_start(self, host: Any, task: Any) -> None:
        """Note who takes part."""
        self._batch.add(host.get_name())
        if task.action not in C._ACTION_SET_FACT:
            self._seen.add(host.get_name())

    def v2_playbook_on_no_hosts_remaining(self) -> None:
        """Note who was ended with the others of a batch: Ansible counts them neither as failed nor as done."""
        limit = self._play.max_fail_percentage
        if limit is not None and limit < _ALL:
            self._cut |= self._batch

    def _note(self, result: Any) -> None:
        self._said[result.host.get_name()] = (result.task.get_name(), str(result.result.get("msg") or ""))

    def v2_runner_on_failed(self, result: Any, ignore_errors: bool = False) -> None:
        """Note what a host failed with."""
        if not ignore_errors:
            self._note(result)

    def v2_runner_on_unreachable(self, result: Any) -> None:
        """Note why a host could not be reached."""
        self._note(result)

    def v2_playbook_on_stats(self, stats: Any) -> None:
        """Leave the evidence and print the summary."""
        # Where no host matched a play, there is nothing to sum up, and no variables of hosts.
        if not self._playbook or self._play is None or not stats.processed or context.CLIARGS.get("check"):
            return
        # A part of a run says nothing of the whole one: a report alone makes no failed host a good one.
        whole = set(context.CLIARGS.get("tags") or ["all"]) == {"all"}
        hostvars = self._play.get_variable_manager().get_vars(play=self._play)["hostvars"]
        from ready.cli.table import render_for
        from ready.evidence import document as evidence
        from ready.evidence import fleet, requirements
        from ready.evidence.machines import inventory_machines

        try:
            found = inventory_machines(hostvars, list(hostvars))
            for machine in found:
                for host in machine.hosts:
                    if whole and host in self._seen:
                        self._leave(machine, host, stats, hostvars)
            if len(hostvars) < 2:
                return
            summary = fleet.write(found, requirements.load(), datetime.now(timezone.utc))
        except evidence.EvidenceError as error:
            self._display.warning(f"the summary of the fleet was not written: {error}")
            return
        table = {key: summary[key] for key in ("title", "columns", "rows", "lines")}
        self._display.display("\n" + render_for(self._display, **table))

    def _leave(self, machine: Machine, host: str, stats: Any, hostvars: Any) -> None:
        """Leave evidence of how the run ended on a host."""
        from ready.common.verdict import FAIL, PASS
        from ready.evidence import document as evidence
        from ready.evidence import fleet

        outcome = "unreachable" if host in stats.dark else "failed" if host in stats.failures else "ok"
        task, message = ("", "") if outcome == "ok" else self._said.get(host, ("", ""))
        if outcome == "ok" and host in self._cut:
            outcome, message = "failed", _ENDED
        results = fleet.run_results(self._playbook, outcome, stats.changed.get(host, 0), task, message)
        own = hostvars[machine.windows or host].get("ready_windows") or {}
        document = evidence.make(
            "run",
            machine.stack,
            host,
            PASS if outcome == "ok" else FAIL,
            results,
            timestamp(self._started),
            own.get("provenance", "real"),
        )
        evidence.write(machine.directory, document)
