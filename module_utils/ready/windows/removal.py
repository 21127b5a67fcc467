# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What may be removed from a Windows host: what carries Ready's mark, and nothing else."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .names import RULE_PREFIX
from .network import PROXY_MARK
from .wsl import distro_of, is_ours


def removal(state: Mapping[str, Any], *, stack: str, distribution: str, distro: bool) -> dict[str, Any]:
    """Return what goes, and lines that say so before anything is asked.

    Args:
        state: what windows_state.ps1 returned.
        stack: only rules and proxies of this stack go.
        distribution: name of the distro.
        distro: whether the distro goes as well, with everything in it.
    """
    rules = [rule["name"] for rule in state["network"]["rules"] if rule["name"].startswith(f"{RULE_PREFIX} {stack} ")]
    held = {entry["listen"] for entry in state["network"]["portproxy"]}
    marked = [name.split()[-2] for name in rules if name.endswith(f" {PROXY_MARK}")]
    proxies = [int(port) for port in marked if f"0.0.0.0/{port}" in held]
    found = distro_of(state, distribution)
    goes = distro and is_ours(found)
    # The task keeps the distro, whose stacks may be others': it goes with the distro.
    tasks = [task["name"] for task in state["tasks"] if task["name"] == f"keep {distribution}"] if goes else []
    lines = [f"firewall rule {name}" for name in rules]
    lines += [f"port proxy on {port}" for port in proxies]
    lines += [f"task {RULE_PREFIX}\\{name}" for name in tasks]
    if goes and found:
        lines.append(f"distro {found['name']} in {found['base_path']}, WITH EVERYTHING IN IT")
    kept = []
    if distro and found is not None and not goes:
        kept.append(f"the distro {found['name']} stays: Ready did not make it")
    if not distro and is_ours(found):
        kept.append(f"the distro {distribution} and its task stay; --distro removes them as well")
    return {
        "rules": rules,
        "proxies": proxies,
        "tasks": tasks,
        "distro": found["name"] if goes and found else "",
        "marker": f"{found['base_path']}.ready.json" if goes and found else "",
        "lines": lines,
        "kept": kept,
    }
