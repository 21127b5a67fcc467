# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide which hosts of an inventory Ready acts on: those of the group `ready` alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

GROUP = "ready"
WINDOWS = "windows"
#: The group of the distros of Windows hosts, by default.
DISTROS = "wsl"


class HostGroupError(ValueError):
    """The inventory does not say which hosts are Ready's; the message has the lines that say it."""


def name_clash(host: str) -> str:
    """Return why a host can't have a name that a group has, and the next step."""
    return (
        f"found the host '{host}' and a group of that name; expected different names. Nothing was changed. "
        "Next: give the host another name; its address stays in ansible_host"
    )


def twin_clash(host: str, twin: str) -> str:
    """Return why a Windows host's distro can't have the name that another Windows host has, and the next step."""
    return (
        f"found the Windows hosts '{host}' and '{twin}', which is also the name of the distro of '{host}'; expected "
        f"different names. Nothing was changed. Next: give '{twin}' another name; its address stays in ansible_host"
    )


def _refuse_without(groups: Mapping[str, Sequence[str]]) -> None:
    if not groups.get("all"):
        raise HostGroupError(
            f"The inventory: found no host; expected the hosts that get a stack in its group '{GROUP}'. Nothing was "
            "changed. Next: name an inventory by -i; ./ready init DIR makes one"
        )
    # Of both, Ansible's patterns mean the host: a verb would leave out the rest of the group.
    if clashing := [name for name in (GROUP, WINDOWS, DISTROS) if name in groups and name in groups["all"]]:
        raise HostGroupError(f"The inventory: {name_clash(clashing[0])}")
    if GROUP not in groups:
        host = next((name for name in groups.get("all", ()) if name != "localhost"), "localhost")
        raise HostGroupError(
            f"The inventory: found no group '{GROUP}'; expected the hosts that get a stack in it. Nothing was changed. "
            "Next: add these three lines to its end:\n"
            f"{GROUP}:\n  hosts:\n    {host}:\n"
        )


def stack_hosts(groups: Mapping[str, Sequence[str]]) -> str:
    """Return the pattern of the hosts that stacks are on. Raises HostGroupError.

    Args:
        groups: Ansible's variable: group -> names of hosts.
    """
    _refuse_without(groups)
    return f"{GROUP}:!{WINDOWS}" if WINDOWS in groups else GROUP


def windows_hosts(groups: Mapping[str, Sequence[str]], overridden: bool = False) -> str | list[str]:
    """Return the pattern of the Windows hosts, an empty list where there are none. Raises HostGroupError.

    Args:
        groups: Ansible's variable: group -> names of hosts.
        overridden: whether `ready_hosts` names the hosts of stacks; then the group may be missing.
    """
    if overridden and GROUP not in groups:
        return []
    _refuse_without(groups)
    return f"{WINDOWS}:&{GROUP}" if WINDOWS in groups else []


def all_ready_hosts(groups: Mapping[str, Sequence[str]]) -> str:
    """Return the pattern of all hosts, Windows hosts among them. Raises HostGroupError."""
    _refuse_without(groups)
    return GROUP


def refuse_no_host(pattern: str | Sequence[str], named: Sequence[str], left: Sequence[str], limit: str = "") -> None:
    """Raise HostGroupError when a verb would act on no host: nothing done is no success.

    Args:
        pattern: that of the verb's hosts.
        named: the hosts that it means.
        left: the hosts of the inventory that `--limit` leaves.
        limit: what `--limit` says, if anything.
    """
    if set(named) & set(left):
        return
    if named:
        found, step = (
            f"--limit: found {limit!r}, which leaves none of the hosts",
            f"name some of {', '.join(named[:9])}",
        )
    elif isinstance(pattern, str) and WINDOWS not in pattern.split(":&"):
        found, step = f"The inventory: found no host for {pattern!r}", f"add hosts to its group '{GROUP}'"
    else:
        found, step = (
            "The inventory: found no Windows host",
            f"name an inventory of Windows hosts with -i (./ready init DIR --example windows makes one), or add hosts "
            f"that are in both groups '{WINDOWS}' and '{GROUP}'",
        )
    raise HostGroupError(f"{found}; expected one at least. Nothing was changed. Next: {step}")


def tag_fault(run: Sequence[str], skipped: Sequence[str], known: Sequence[str]) -> str | None:
    """Return why a run is refused by its tags, if it is: a tag that is none would do nothing, and succeed.

    Args:
        run: Ansible's `ansible_run_tags`.
        skipped: its `ansible_skip_tags`.
        known: the tags that the playbook has.
    """
    step = "Nothing was changed. Next: run it without"
    # Another tag to skip is nobody's, and skips nothing: Molecule always names some.
    if kept := sorted(set(skipped) & {*known, "all", "always", "tagged", "untagged"}):
        return f"--skip-tags: found {', '.join(kept)}, expected none. {step}; --tags names what to run"
    if set(run) == {"all"} or (known and set(run) <= set(known)):
        return None
    expected = f"some of {', '.join(known)}" if known else "none: this playbook has no tags"
    return f"--tags: found {', '.join(sorted(set(run) - set(known)))}, expected {expected}. {step}"
