# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may be removed from a Windows host: what carries Ready's mark, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .keepalive import BUSY, HOLD, KEEPALIVE_SCRIPT, is_held, marker_path
from .keepalive import task_of as keep_task
from .network import proxied_port, rules_of
from .ownership import FOLDER, RULE_PREFIX
from .portproxy_task import FOLLOW_SCRIPT
from .portproxy_task import task_of as forward_task
from .scheduled_tasks import holders
from .wsl import distro_of, is_ours


def plan(state: Mapping[str, Any], *, stack: str, distribution: str, distro: bool) -> dict[str, Any]:
    """Return what goes, and lines that say so before anything is asked.

    Args:
        state: what windows_state.ps1 returned.
        stack: only rules and proxies of this stack go.
        distribution: name of the distro.
        distro: whether the distro goes as well, with everything in it.
    """
    _, rules = rules_of(state["network"]["rules"], stack)
    _, hyperv = rules_of(state["network"]["hyperv_rules"] or [], stack)
    held = {entry["listen"] for entry in state["network"]["portproxy"]}
    marked = [port for name in rules if (port := proxied_port(name)) is not None]
    proxies = [port for port in marked if f"0.0.0.0/{port}" in held]
    found = distro_of(state, distribution)
    goes = distro and is_ours(found)
    # The task that keeps the distro may serve other stacks: it goes with the distro.
    mine = {forward_task(stack)} | ({keep_task(distribution)} if goes else set())
    there = [task["name"] for task in state["tasks"]]
    tasks = [name for name in there if name in mine]
    last = not [name for name in there if name.startswith("forward ") and name not in mine]
    scripts = (
        [f"{FOLDER}\\{FOLLOW_SCRIPT}"] if last and FOLLOW_SCRIPT in {file["name"] for file in state["files"]} else []
    )
    kept_others = [name for name in there if name.startswith("keep ") and name not in mine]
    held_back = holders(state, distribution) if goes else []
    if goes:
        sums = {file["name"] for file in state["files"]}
        scripts += [f"{FOLDER}\\{KEEPALIVE_SCRIPT}"] if KEEPALIVE_SCRIPT in sums and not kept_others else []
        scripts += [marker_path(distribution)] if is_held(state, distribution, HOLD) else []
        scripts += [marker_path(distribution, BUSY)] if is_held(state, distribution, BUSY) else []
    lines = [f"firewall rule {name}" for name in rules]
    lines += [f"rule {name} of the Hyper-V firewall" for name in hyperv]
    lines += [f"port proxy on {port}" for port in proxies]
    lines += [f"task {RULE_PREFIX}\\{name}" for name in tasks]
    lines += [f"file {path}" for path in scripts]
    if goes and found:
        lines.append(f"distro {found['name']} in {found['base_path']}, WITH EVERYTHING IN IT")
    kept = []
    if distro and found is not None and not goes:
        kept.append(f"the distro {found['name']} stays: Ready did not make it")
    if not distro and is_ours(found):
        kept.append(f"the distro {distribution} and its task stay; --distro removes them as well")
    return {
        "rules": rules,
        "hyperv_rules": hyperv,
        "proxies": proxies,
        "tasks": tasks,
        "holders": held_back,
        # Destroy holds them back itself, which leaves a mark that was not there when it looked.
        "files": list(dict.fromkeys([*scripts, *([marker_path(distribution, BUSY)] if held_back else [])])),
        "distro": found["name"] if goes and found else "",
        "marker": f"{found['base_path']}.ready.json" if goes and found else "",
        "lines": lines,
        "kept": kept,
    }
