# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Find the hosts for `./ready VERB --failed`: those that failed or were away in the last fleet summary.

Runs on the controller.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..common.paths import ROOT
from .commands import vault_arguments
from .inventory_values import VAULT_FILE_STEP, locked

#: How Ansible's templates begin: what a variable is to be is not known without a play.
_TEMPLATE = "{{"
#: What `./ready init` writes: the one variable that is known without a play, and its directory.
_PLACE = re.compile(r"\{\{\s*inventory_dir\s*(\|\s*dirname\s*)?\}\}")


class FailedHostsError(ValueError):
    """It is not known who failed.

    Attributes:
        step: the next step, "" for that of any such error.
    """

    def __init__(self, message: str, step: str = "") -> None:
        super().__init__(message)
        self.step = step


def inventory_variables(inventories: Sequence[str], passed: Sequence[str] = ()) -> Mapping[str, Mapping[str, Any]]:
    """Return host -> its variables, as the inventory says them.

    Args:
        inventories: the sources.
        passed: the words for ansible-playbook; the files of vault passwords among them are used.

    Raises:
        FailedHostsError: the inventory could not be read.
    """
    program = Path(sys.executable).with_name("ansible-inventory")
    sources = [word for path in inventories for word in ("-i", path)] + vault_arguments(passed)
    done = subprocess.run(  # noqa: S603  # the locked environment's own
        [program, *sources, "--list"], check=False, capture_output=True, text=True
    )
    if done.returncode and (how := locked(done.stderr)):
        raise FailedHostsError(f"found an inventory {how}; expected the one that opens it", VAULT_FILE_STEP)
    if done.returncode:
        raise FailedHostsError(f"found an inventory that cannot be read ({done.stderr.strip()[-300:]}), expected one")
    hostvars: Mapping[str, Mapping[str, Any]] = json.loads(done.stdout)["_meta"]["hostvars"]
    return hostvars


def _placed(path: str, inventories: Sequence[str]) -> str:
    """Return a path with `inventory_dir` put in, where one inventory alone says what that is."""
    sources = [Path(source) for source in inventories]
    if len(sources) != 1 or not sources[0].exists():
        return path
    (source,) = sources
    place = (source if source.is_dir() else source.parent).absolute()
    return _PLACE.sub(lambda found: str(place.parent if found[1] else place), path)


def evidence_directory(
    given: str | None, hostvars: Mapping[str, Mapping[str, Any]], inventories: Sequence[str] = ()
) -> Path:
    """Return where the last summary is: as the option says, else as the inventory says of any host, else the default.

    Raises:
        FailedHostsError: the inventory says it by a template of more than `inventory_dir`, or says several.
    """
    named = {str(own["ready_evidence_dir"]) for own in hostvars.values() if own.get("ready_evidence_dir")}
    named = {_placed(path, inventories) for path in named}
    if given or not named:
        return Path(given or ROOT / "evidence").expanduser().absolute()
    if len(named) > 1 or any(_TEMPLATE in path for path in named):
        shown = ", ".join(sorted(named))
        raise FailedHostsError(f"found ready_evidence_dir as {shown}, expected one path that is no template")
    return Path(named.pop()).expanduser().absolute()


def hosts_to_repeat(directory: Path) -> list[str]:
    """Return the hosts of the machines that failed or were away.

    Raises:
        FailedHostsError: there is no summary, or it is none.
    """
    from ..evidence.fleet import AGAIN  # it brings the report along, and most calls go without

    path = directory / "fleet.json"
    try:
        machines = json.loads(path.read_text(encoding="utf-8"))["results"]["machines"]
        return [host for machine in machines if machine["state"] in AGAIN for host in machine["hosts"]]
    except FileNotFoundError:
        raise FailedHostsError(f"found no {path}, expected the summary of a run over more than one host") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise FailedHostsError(f"{path}: found no summary ({error}), expected one") from error


def limit_to_failed_hosts(inventories: Sequence[str], given: str | None, passed: Sequence[str] = ()) -> str:
    """Return what --limit is to be, "" when there is nobody.

    Args:
        inventories: the sources.
        given: the directory of the evidence, None for the inventory's.
        passed: the words for ansible-playbook.

    Raises:
        FailedHostsError: it is not known who failed.
    """
    hostvars = {} if given else inventory_variables(inventories, passed)
    return ",".join(hosts_to_repeat(evidence_directory(given, hostvars, inventories)))
