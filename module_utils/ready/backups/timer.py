# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a timer runs on the host, without the controller: `python <stack>.pyz backup|drill|wal STACK`.

Loud when it fails: exit code 2, a line on standard error, the outcome in a file that `up`, `check` and others turn
into evidence, and a metric for node_exporter's textfile collector.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from ..common.clock import timestamp
from ..common.files import write_text
from ..common.labels import LABEL_STACK
from ..common.verdict import FAIL, PASS
from ..host.run_lock import holder_text, is_alive, release_lock, take_lock, this_run
from .manifest import BackupError, BusyError, summary
from .workspace import Workspace

#: Seconds of a period: a run that is not due yet is left out, so an hourly cron job catches up what was missed.
PERIODS = {"5min": 300, "15min": 900, "hourly": 3600, "daily": 86400, "weekly": 7 * 86400, "monthly": 30 * 86400}
#: Part of a period that may be missing: the last run took a while to end.
EARLY = 0.9
#: Seconds that a run waits for Docker in a WSL distro: a task of Windows starts the distro at boot, and Docker Desktop
#: comes when its owner logs on. A run that was missed is caught up at boot, and would only fail then.
PATIENCE = 12 * 3600
_METRICS = Path("/var/lib/prometheus/node-exporter")


def is_due(last: float | None, period: str, now: float) -> bool:
    """Return whether a run is due; `last` is when one last succeeded (epoch seconds)."""
    return last is None or now - last >= EARLY * PERIODS[period] or last > now


def is_wsl() -> bool:
    """Return whether this is a WSL distro."""
    from ..host.facts import wsl_facts

    return bool(wsl_facts(platform.release(), {})["version"])


def docker_is_up(stack: str) -> bool:
    """Return whether Docker answers, with none of the stack's containers still starting."""
    import docker.errors
    import requests

    try:
        found = docker.from_env(timeout=10).containers.list(filters={"label": f"{LABEL_STACK}={stack}"})
        return all(container.health != "starting" for container in found)
    except (docker.errors.DockerException, requests.exceptions.RequestException):
        return False


def wait_until(ready: Callable[[], bool], seconds: float, pause: float = 30.0) -> bool:
    """Return whether something became ready within so many seconds."""
    deadline = time.monotonic() + seconds
    while not ready():
        if time.monotonic() >= deadline:
            return False
        time.sleep(pause)
    return True


def outcome(verb: str, work: Workspace) -> dict[str, Any]:
    """Run a verb and return {verdict, results}; what goes wrong is in the results."""
    from . import run  # an hourly job mostly finds that nothing is due, and ends without it

    host = str(work.settings["host"])
    try:
        if verb != "wal":
            run.refuse_unknown(work.stack["name"])
        if verb == "drill":
            results = run.prove_set(work.stack["name"], None)
            return {"verdict": results["verdict"], "results": results}
        if verb == "wal":
            return {"verdict": PASS, "results": run.ship_wal(work.stack["name"])}
        made = run.make_set(work.stack["name"], "", host, "")
    except BusyError as error:
        # WAL is saved by that backup, or the next time; of anything else a run that did not happen is a fault.
        return {"verdict": "skipped" if verb == "wal" else FAIL, "results": {"error": str(error)}}
    except BackupError as error:
        return {"verdict": FAIL, "results": {"error": str(error)}}
    return {"verdict": made["verdict"], "results": made | {"manifest": summary(made["manifest"])}}


def metrics(verb: str, stack: str, verdict: str, now: float, success: float | None) -> str:
    """Return the outcome in Prometheus' text format."""
    labels = f'{{stack="{stack}"}}'
    lines = [
        f"# HELP ready_{verb}_last_run_failed Whether the last scheduled {verb} failed.",
        f"# TYPE ready_{verb}_last_run_failed gauge",
        f"ready_{verb}_last_run_failed{labels} {int(verdict != PASS)}",
        f"# HELP ready_{verb}_last_run_timestamp_seconds When the last scheduled {verb} ended.",
        f"# TYPE ready_{verb}_last_run_timestamp_seconds gauge",
        f"ready_{verb}_last_run_timestamp_seconds{labels} {now:.0f}",
    ]
    if success is not None:
        lines += [
            f"# HELP ready_{verb}_last_success_timestamp_seconds When a scheduled {verb} last succeeded.",
            f"# TYPE ready_{verb}_last_success_timestamp_seconds gauge",
            f"ready_{verb}_last_success_timestamp_seconds{labels} {success:.0f}",
        ]
    return "\n".join(lines) + "\n"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a verb if it is due, leave its outcome, and return 0, or 2 when it failed."""
    parser = argparse.ArgumentParser(prog="ready-backup", description=__doc__)
    parser.add_argument("verb", choices=["backup", "drill", "wal"])
    parser.add_argument("stack")
    parser.add_argument("--if-due", choices=sorted(PERIODS), help="only when none succeeded within this period")
    arguments = parser.parse_args(argv)
    verb, stack = arguments.verb, arguments.stack
    # An hourly job that leaves out what is not due comes again by itself.
    if not arguments.if_due and is_wsl():
        wait_until(lambda: docker_is_up(stack), PATIENCE)
    started = timestamp()
    try:
        work = Workspace.of(stack)
    except (BackupError, ValueError) as error:  # no settings, or a damaged file of them
        print(f"ready: {verb} of {stack} failed: {error}", file=sys.stderr)
        return 2
    last = work.state().get(f"{verb}_succeeded_at")
    # A set that was saved and failed its proof is not made again every hour.
    saved = work.state().get(f"{verb}_saved_at")
    latest = max(filter(None, (last, saved)), default=None)
    if arguments.if_due and not is_due(latest, arguments.if_due, time.time()):
        return 0
    lock, here = Path("/run/lock") / f"ready-{stack}.json", this_run(os.getpid())
    holder = None
    if verb != "wal":  # which changes nothing of the stack, and may go on beside whatever does
        holder = take_lock(lock, here)
        if holder is not None and not is_alive(holder, here):
            holder = take_lock(lock, here, replace=holder)
    if holder is not None:
        found: dict[str, Any] = {
            "verdict": FAIL,
            "results": {"error": f"another run is changing the stack: {holder_text(holder)}"},
        }
    else:
        try:
            found = outcome(verb, work)
        finally:
            if verb != "wal":
                release_lock(lock, here)
    if found["verdict"] == "skipped":
        return 0
    try:
        if found["verdict"] == PASS:
            last = time.time()
            work.remember(**{f"{verb}_succeeded_at": last})
        elif "manifest" in found["results"]:
            work.remember(**{f"{verb}_saved_at": time.time()})
        document = {"name": verb, "started_at": started, "finished_at": timestamp(), **found}
        write_text(work.directory / f"last_{verb}.json", json.dumps(document, indent=1))
    except OSError as error:  # a full disk, maybe; the exit code and the metric must tell all the same
        why = found["results"].get("error") or f"the {verb} ended with {found['verdict']}"
        found = {"verdict": FAIL, "results": {"error": f"{why}; and its outcome can't be written: {error}"}}
    directory = Path(work.settings.get("metrics") or _METRICS)
    if directory.is_dir():
        write_text(directory / f"ready_{verb}_{stack}.prom", metrics(verb, stack, found["verdict"], time.time(), last))
    if found["verdict"] != PASS:
        print(f"ready: {verb} of {stack} failed: {found['results'].get('error') or faults(found)}", file=sys.stderr)
        return 2
    return 0


def faults(found: dict[str, Any]) -> str:
    """Return what a drill found, or why a set that was saved can't be restored as a whole, in one line."""
    from .results import proof_faults  # an hourly job mostly ends without it

    services = found["results"].get("services", {})
    drilled = [f"{name}: {', '.join(its['faults'])}" for name, its in services.items() if its.get("faults")]
    return "; ".join([*drilled, *proof_faults(found["results"]).values()])
