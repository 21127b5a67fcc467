# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Explain why a service did not start or did not become healthy. Runs on the controller; pure functions."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..common.spelling import hint
from ..stack.definitions import load_definitions
from ..stack.resolved import containers, data_volumes, serves_clients
from .rollback_decision import recovers

#: States in which a trial's container has ended.
_ENDED = frozenset({"exited", "dead", "created", "absent"})
#: What a store writes into its log when it does not like what it was given.
_FAULT = re.compile(
    r"fatal|error|panic|alert|>>>|at line|invalid|unrecogni[sz]ed|unknown|bad directive|wrong number|must be|"
    r"found .+, expected |no declared|could not|can't|cannot|failed|exceed|out of memory|killed",
    re.IGNORECASE,
)
_WORDS = 4


def own_words(logs: Iterable[str]) -> list[str]:
    """Return the lines of a log that say what is wrong; its last ones when none does."""
    lines = [line.strip() for line in logs if line.strip()]
    return ([line for line in lines if _FAULT.search(line)] or lines)[-_WORDS:]


def _named(name: str, text: str) -> bool:
    return re.search(rf"(?<![\w.-]){re.escape(name)}(?![\w-]|\.\w)", text) is not None


def suspects(service: Mapping[str, Any], logs: Iterable[str], known: Iterable[str]) -> list[str]:
    """Return the settings that a log names, each as the variable to correct, with the name that was probably meant.

    Args:
        service: the resolved service.
        logs: lines.
        known: settings that the engine is known to have.
    """
    text = "\n".join(logs)
    candidates = sorted(known)
    found = []
    for name in service.get("settings", {}):
        if not _named(name, text):
            continue
        found.append(f"{service['name']}_settings: {name}{'' if name in candidates else hint(name, candidates, 0.75)}")
    return found


def _known_settings(name: str) -> Sequence[str]:
    return list(load_definitions().get(name, {}).get("settings", {}))


def _fell(outcome: Mapping[str, Any]) -> list[str]:
    """Return what happened to a container meanwhile that its state no longer shows."""
    times = outcome["restarts"]
    found = [f"Docker has restarted it {'once' if times == 1 else f'{times} times'}"] if times else []
    is_said = "lack of memory" in outcome["detail"]
    return found + (["it was killed for lack of memory"] if outcome["oom_killed"] and not is_said else [])


def reason_and_next(service: Mapping[str, Any], outcome: Mapping[str, Any]) -> tuple[str, str]:
    """Return why a service did not start, in its log's own words, and what to correct."""
    name = service.get("of", service["name"])
    if outcome["refused"]:  # it has said why; the error of setting accounts names the variable, or the next step
        why, _, after = outcome["detail"].partition(". Next: ")
        named = re.match(rf"({name}_\w+): found ", why)
        wrong, words = [named[1]] if named else [], []
    else:
        why, after, words = outcome["detail"], "", own_words(outcome["logs"])
        wrong = suspects(service, words, _known_settings(name))
    found = "; ".join([why or f"it is {outcome['state']}", *_fell(outcome), *words])
    return found, after or f"correct {', '.join(wrong) or f'what was changed of {name}_*'}"


def _does_not_start(outcome: Mapping[str, Any]) -> bool:
    return bool(outcome["refused"]) or outcome["state"] in _ENDED


def _in_the_data(service: Mapping[str, Any], outcome: Mapping[str, Any]) -> str:
    """Return the file in a data volume at which a trial ended, "" when there is none: its own volumes are empty."""
    if outcome["state"] not in _ENDED or outcome["oom_killed"]:
        return ""
    text = "\n".join(own_words(outcome["logs"]))
    paths = "|".join(re.escape(volume["path"]) for volume in data_volumes(service))
    found = re.search(rf"(?<![\w.-])(?:{paths})/[^\s'\":;,)]+", text) if paths else None
    return found[0] if found else ""


def trial_message(host: str, stack: Mapping[str, Any], tried: Mapping[str, Mapping[str, Any]]) -> str:
    """Return a line for each service that did not start in its trial; empty when all did, or nothing is decided."""
    lines = []
    for name, outcome in tried.items():
        service = containers(stack)[name]
        if _does_not_start(outcome) and not _in_the_data(service, outcome):
            found, after = reason_and_next(service, outcome)
            lines.append(
                f"{host}: {name} does not start with what has changed, tried on empty data: found {found}; expected "
                f"it to start. No running container was touched. "
                f"Next: {after}, then ./ready up."
            )
    return "\n".join(lines)


def trial_undecided(host: str, stack: Mapping[str, Any], tried: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return a line for each service whose trial did not decide: it was slow, or needs a file in its data volume."""
    lines = []
    for name, outcome in tried.items():
        if path := _in_the_data(containers(stack)[name], outcome):
            lines.append(
                f"{host}: {name}: its trial on empty data ended at {path}, which only the data volume can have: "
                "the change is made"
            )
        elif not outcome["healthy"] and not _does_not_start(outcome):
            lines.append(
                f"{host}: {name}: its trial was not healthy after {outcome['seconds']:.0f} s, and showed no fault: "
                "the change is made"
            )
    return lines


def _not_healthy(host: str, service: Mapping[str, Any], outcome: Mapping[str, Any]) -> str:
    name, replaced = service["name"], outcome.get("replaced") or {}
    start = f"{host}: {name} is {outcome['state']} after {outcome['seconds']:.0f} s"
    if outcome["wrong_password"]:
        volumes = ", ".join(volume["name"] for volume in data_volumes(service))
        back = bool(replaced.get("back"))
        return (
            f"{host}: {name}: the volume {volumes} holds a database with another password than the inventory's; "
            f"{service['title']} ignores a new one. The data were left as they are"
            + (", and the container of before is back" if back else "")
            + ". Next: put back the secrets file that they were made with (another clone or inventory may hold it), "
            "then ./ready up; if it is lost, "
            + ("./ready secrets recover reads the passwords back from the containers, or " if back else "")
            + f"./ready restore --only {name} brings a backup back under this inventory's passwords."
        )
    if recovers(outcome):
        return (
            f"{start}: it says that it is recovering its data, and was left alone, for a stop would begin that again. "
            f"Next: ./ready logs --service {name} shows how far it is; ./ready up when it is done."
        )
    if replaced.get("back"):
        found, after = reason_and_next(service, outcome)
        again = (
            "are back, and it is healthy"
            if replaced["healthy"]
            else f"are back, but it is not healthy yet: ./ready logs --service {name} says why"
        )
        return (
            f"{start} with what has changed, expected healthy: found {found}. Its container and configuration of "
            f"before {again}. Next: {after}, then ./ready up."
        )
    if outcome["refused"]:
        found, after = reason_and_next(service, outcome)
        return (
            f"{host}: {name} runs, and refuses what the inventory asks of it: {found}. Nothing in it was changed, and "
            f"the others stay up. Next: {after}, then ./ready up."
        )
    wrong = suspects(service, outcome["logs"], _known_settings(name))
    stays = (
        " It stays as it is: its accounts are set, and the passwords of before are wrong now."
        if replaced.get("left") == "accounts"
        else ""
    )
    after = (
        f"correct {', '.join(wrong)}"
        if wrong
        else f"limits and settings are {service.get('of', name)}_* in the inventory"
    )
    return (
        f"{start}, expected healthy; its health test says: {outcome['detail'] or 'nothing'}.{stays} "
        f"The others stay up. Next: ./ready logs --service {name}{f'; {after}' if serves_clients(service) else ''}."
    )


def unhealthy_message(host: str, stack: Mapping[str, Any], waited: Mapping[str, Any]) -> str:
    """Return one readable message about every service that did not become healthy, with its last log lines."""
    lines = []
    for name, outcome in waited.items():
        if not outcome["healthy"]:
            lines.append(_not_healthy(host, containers(stack)[name], outcome))
            lines += [f"    {line}" for line in outcome["logs"]]
    return "\n".join(lines)
