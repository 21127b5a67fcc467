# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the inventory no longer names, and `up` keeps or removes. Runs on the controller."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from ..common.labels import LABEL_ENGINE, LABEL_KEPT, LABEL_KEPT_FOR
from ..common.units import human_size
from ..stack.sidecars import switchable_sidecars, with_sidecars


def kept_lines(state: Mapping[str, Any], host: str, before: bool = False, former: Collection[str] = ()) -> list[str]:
    """Return a line per container of the stack that the inventory does not name; `up` keeps what is a service's.

    Args:
        state: what is there.
        host: the inventory's name of the host.
        before: whether preflight says it: the change by `up` may follow in the same run, and is no next step then.
        former: services whose containers hold no data, and that have none any more: the stack's `former`.
    """
    by = "`up`" if before else "Next: ./ready up"
    return [
        f"{host}: {item['name']} ({item['status']}): left by a run that was killed. {by} deals with it"
        if item.get("leftover")
        else f"{host}: {item['name']} ({item['status']}) is switched off. {by} removes it; its data stay"
        if item["service"] in switchable_sidecars()
        else f"{host}: {item['name']} ({item['status']}) is no longer a container of the stack. {by} removes it; it "
        "keeps no data"
        if item["service"] in with_sidecars(former)
        else f"{host}: {item['name']} ({item['status']}) is not in the inventory: kept, and so are its data. Next: "
        f"name its service in ready_services again, or docker stop {item['name']} and docker rm {item['name']}, which "
        "leave its volumes"
        for item in state["others"]
    ]


def kept_volumes(state: Mapping[str, Any], details: Mapping[str, Any]) -> list[str]:
    """Return a line per volume that an upgrade or a restore kept; `details` holds volume sizes, in bytes, by name."""
    return [
        f"kept: volume {name} ({human_size(details.get('volumes', {}).get(name))}), {volume['labels'][LABEL_KEPT]} of "
        f"{volume['labels'].get(LABEL_ENGINE, 'unknown')} before its "
        f"{volume['labels'].get(LABEL_KEPT_FOR, 'upgrade')}. "
        "Next: ./ready prune --kept removes it when the old data are no longer wanted"
        for name, volume in sorted(state["volumes"].items())
        if volume["ours"] and LABEL_KEPT in volume["labels"]
    ]
