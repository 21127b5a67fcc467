# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Which hosts a verb acts on, as filters over `groups`."""

from __future__ import annotations

import multiprocessing
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NoReturn

from ansible import constants as C  # noqa: N812 - as Ansible's own code calls it
from ansible import context as call
from ansible.errors import AnsibleFilterError
from ansible.parsing.dataloader import DataLoader
from ansible.plugins.loader import lookup_loader
from ansible.utils.display import Display
from ansible.utils.vars import load_extra_vars
from jinja2 import pass_context
from jinja2.runtime import Context

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.cli import bounds, host_groups  # Ansible offers module_utils to modules alone
from ready.cli.options import WRONG_CALL
from ready.stack import argument_specs  # Ansible offers module_utils to modules alone


def _called() -> bool:
    """Return whether the run is of Ready's own playbooks; one of the user's may import them after its plays."""
    root = Path(__file__).resolve().parent.parent
    return all(Path(name).resolve().parent in {root, root / "playbooks"} for name in call.CLIARGS.get("args", ()))


def _refuse(message: str) -> NoReturn:
    """End the run before its first task. In a task it is that task's error."""
    if not (_called() and len(call.CLIARGS.get("args", ())) == 1):
        message = message.replace("Nothing was changed. ", "")  # another play may have
    if multiprocessing.parent_process() is not None:
        raise AnsibleFilterError(message)
    # As an error of this filter it would come with the place in the playbook, as if that were wrong.
    Display().display(f"ready: {message}", color=C.COLOR_ERROR, stderr=True)
    raise SystemExit(WRONG_CALL)


def ready_stack_hosts(groups: Mapping[str, Sequence[str]]) -> str:
    """Return the pattern of the hosts that stacks are on."""
    try:
        return host_groups.stack_hosts(groups)
    except host_groups.HostGroupError as error:
        _refuse(str(error))


def ready_windows_hosts(groups: Mapping[str, Sequence[str]], overridden: bool = False) -> str | list[str]:
    """Return the pattern of the Windows hosts, nothing where there are none."""
    try:
        return host_groups.windows_hosts(groups, overridden)
    except host_groups.HostGroupError as error:
        _refuse(str(error))


def ready_fleet_hosts(groups: Mapping[str, Sequence[str]]) -> str:
    """Return the pattern of all hosts."""
    try:
        return host_groups.all_ready_hosts(groups)
    except host_groups.HostGroupError as error:
        _refuse(str(error))


def _named(groups: Mapping[str, Sequence[str]], pattern: str | Sequence[str]) -> list[str]:
    patterns = [pattern] if isinstance(pattern, str) else list(pattern)
    lookup = lookup_loader.get("ansible.builtin.inventory_hostnames", loader=DataLoader())
    return list(lookup.run(patterns, variables={"groups": groups})) if patterns else []


@pass_context
def ready_guard(
    context: Context,
    pattern: str | Sequence[str],
    tags: Sequence[str] = (),
    others: str | Sequence[str] = (),
    others_tags: Sequence[str] = (),
) -> str | Sequence[str]:
    """Return a play's pattern of hosts, and refuse the run when it would do nothing, or not what was meant.

    That is: no host, a tag that the playbook has not, a task to start at, a value out of its range where a play needs
    it before any host.
    A playbook that `site.yml` imports is not asked about hosts and tags: its first play was. Nor is one that a playbook
    of the user's imports: the tags and hosts may be those of other plays.

    Args:
        context: the play's variables.
        pattern: of its hosts.
        tags: that its tasks have.
        others: the pattern of hosts of which one is enough as well.
        others_tags: the further tags that tasks of those hosts have.
    """
    if call.CLIARGS.get("syntax"):  # whatever the inventory
        return pattern
    get = context.get
    options = bounds.options_with_bounds(argument_specs.verb_specs().values(), {"minimum", "pattern", "access"})
    # Variables of hosts are not there yet; a host's first task looks at all of them.
    extra = {name: value for name, value in load_extra_vars(DataLoader()).items() if "{{" not in str(value)}
    batches = {name: get(name) for name in ("ready_serial", "ready_max_fail_percentage")}
    if wrong := bounds.variable_faults(options, extra | batches):
        _refuse("\n".join(f"{fault}. Nothing was changed. Next: correct it" for fault in wrong))
    if get("_ready_imported", False) or not _called():
        return pattern
    if call.CLIARGS.get("start_at_task"):
        _refuse(
            "--start-at-task: found a task, expected none: the first tasks find out what the others need. "
            "Nothing was changed. Next: run it without"
        )
    left, further = get("ansible_play_hosts_all", []), _named(get("groups"), others)
    try:
        host_groups.refuse_no_host(
            pattern, [*_named(get("groups"), pattern), *further], left, str(get("ansible_limit", ""))
        )
    except host_groups.HostGroupError as error:
        _refuse(str(error))
    known = [*tags, *(others_tags if set(further) & set(left) else ())]
    if fault := host_groups.tag_fault(get("ansible_run_tags", ["all"]), get("ansible_skip_tags", []), known):
        _refuse(fault)
    return pattern


def ready_of_stack(
    hosts: Sequence[str], hostvars: Mapping[str, Mapping[str, Any]], stack: Mapping[str, Any], host: str
) -> Iterator[str]:
    """Give those of the hosts that are of this stack; whoever wants the first one does not look at the others."""
    from ready.evidence.machines import hosts_of_stack  # most verbs end without a report

    return hosts_of_stack(hosts, hostvars, stack, host)


class FilterModule:
    """Filters over Ansible's `groups`."""

    def filters(self) -> dict[str, Callable[..., object]]:
        """Return them by name."""
        return {
            "ready_stack_hosts": ready_stack_hosts,
            "ready_windows_hosts": ready_windows_hosts,
            "ready_fleet_hosts": ready_fleet_hosts,
            "ready_of_stack": ready_of_stack,
            "ready_guard": ready_guard,
        }
