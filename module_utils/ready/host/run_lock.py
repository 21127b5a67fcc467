# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Let one run at a time change a stack, by a lock file on the host that names the run.

Locks between processes of one host are in `hostlock`.
"""

from __future__ import annotations

import json
import os
import time
from dataclasses import asdict, dataclass, fields
from datetime import datetime, timezone
from pathlib import Path

#: Seconds after which the lock of a run on another machine counts as forgotten; on this one its process tells.
FORGOTTEN = 2 * 3600
#: Where the lock files are, on the host.
DIRECTORY = Path("/run/lock")


@dataclass(frozen=True)
class Holder:
    """A run: the process of ansible-playbook on the machine that started it."""

    #: Its boot id and, after a dot, the namespace of its process ids; earlier versions wrote the boot id alone.
    machine: str
    hostname: str
    pid: int
    since: float  #: epoch seconds

    def is_same(self, other: Holder) -> bool:
        """Return whether both name the same process, whenever they were written."""
        return (self.machine, self.pid) == (other.machine, other.pid)


def this_run(pid: int) -> Holder:
    """Return the holder for a process of this machine, by its id as this process sees it."""
    boot = Path("/proc/sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    # Containers on one kernel have the same boot id, and their process ids mean nothing to each other.
    namespace = str(Path("/proc/self/ns/pid").readlink()).removeprefix("pid:").strip("[]")
    return Holder(f"{boot}.{namespace}", os.uname().nodename, pid, time.time())


def _sees(here: Holder, holder: Holder) -> bool:
    """Return whether the process id of a holder means to `here` what it means to the holder."""
    boot, _, namespace = holder.machine.partition(".")
    own, _, mine = here.machine.partition(".")
    return boot == own and namespace in ("", mine)


def is_alive(holder: Holder, here: Holder) -> bool:
    """Return whether the run is still there: asked of its process where `here` can see it, else judged by age."""
    if not _sees(here, holder):
        return time.time() - holder.since < FORGOTTEN
    try:
        os.kill(holder.pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    if str(Path("/proc/self").readlink()) != str(os.getpid()):
        return True  # /proc is that of another namespace: it says nothing of this process
    # A zombie has ended, and so has a run whose pid somebody else got since.
    stat = Path(f"/proc/{holder.pid}/stat").read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
    started = int(stat[19]) / os.sysconf("SC_CLK_TCK")
    uptime = float(Path("/proc/uptime").read_text(encoding="ascii").split()[0])
    return stat[0] != "Z" and time.time() - uptime + started <= holder.since + 1


def holder_text(holder: Holder) -> str:
    """Return who holds a lock and for how long, for people."""
    since = datetime.fromtimestamp(holder.since, tz=timezone.utc)
    minutes = max(0, round((time.time() - holder.since) / 60))
    age = f"{minutes} min" if minutes < 120 else f"{minutes // 60} h"
    return f"process {holder.pid} on {holder.hostname}, since {since:%Y-%m-%d %H:%M:%S} UTC ({age})"


def read(path: Path) -> Holder | None:
    """Return who holds the lock, None when nobody does or the file is damaged."""
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
        return Holder(**{each.name: found[each.name] for each in fields(Holder)})
    except (FileNotFoundError, ValueError, TypeError, KeyError):
        return None


def path_of(stack: str) -> Path:
    """Return the lock file of a stack."""
    return DIRECTORY / f"ready-{stack}.json"


class Watch:
    """Whether another run has taken a stack's lock over since the watch was made.

    A module lives on when its playbook is killed, and what it would undo may be the other run's by then.
    """

    def __init__(self, stack: str) -> None:
        self.path = path_of(stack)
        self.holder = read(self.path)

    @property
    def lost(self) -> bool:
        """Whether it is another run's now."""
        holder = read(self.path)
        return holder is not None and (self.holder is None or not holder.is_same(self.holder))


def take_lock(path: Path, run: Holder, replace: Holder | None = None) -> Holder | None:
    """Take the lock for `run` and return None, or return the run that holds it.

    Args:
        path: the lock file on the host.
        run: who asks.
        replace: a holder that is known to have ended, or whose lock somebody breaks; its lock is taken over.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{run.machine}.{run.pid}")
    temporary.write_text(json.dumps(asdict(run)), encoding="utf-8")
    try:
        for _ in range(2):
            try:
                os.link(temporary, path)  # atomic, also between two runs that try at the same time
            except FileExistsError:
                holder = read(path)
                if holder is not None and not holder.is_same(run) and holder != replace:
                    return holder
                path.unlink(missing_ok=True)
            else:
                return None
        return read(path)
    finally:
        temporary.unlink(missing_ok=True)


def release_lock(path: Path, run: Holder) -> bool:
    """Give the lock back if this run holds it."""
    holder = read(path)
    if holder is None or not holder.is_same(run):
        return False
    path.unlink(missing_ok=True)
    return True
