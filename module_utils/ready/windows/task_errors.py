# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Errors of scheduled tasks: why Windows refuses one with a stored password, and how the last run of one ended.

Ansible prints why a module failed, `no_log` or not, and modules of the old kind, such as win_scheduled_task, clean
nothing out of it; what a run sums up is censored. So the tasks keep their failure, and this makes the message of it.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..secrets.redaction import redacted_line
from .ownership import RULE_PREFIX

#: How the SID of an account of Microsoft Entra begins.
ENTRA_SID_PREFIX = "S-1-12-1-"
CORRECT_IT = (
    "correct {variable}; for an account that logs on with a PIN alone, give it a password and log on with it once"
)
USE_LOCAL_ACCOUNT = (
    "Windows checks no password of a Microsoft Entra account over the network: connect as a local or a domain account"
)
#: The code that Windows gives -> (what it means, the next step). Sources: Windows' error codes (WinError.h, 1312 to
#: 1909, and Task Scheduler's); dahall/TaskScheduler#231, #455; docs/windows-assumptions.md says what nobody saw.
TASK_ERRORS: dict[str, tuple[str, str]] = {
    "0x8007052e": (
        "the user name or password is wrong, or the account has no password that Windows can check here",
        CORRECT_IT,
    ),
    "0x8007052f": ("the account has an empty password, or may not log on now", "give it a password: {variable}"),
    "0x80070520": (
        "a policy keeps Windows from storing passwords (DisableDomainCreds is 1)",
        "set the policy 'Network access: Do not allow storage of passwords and credentials for network authentication' "
        "to disabled",
    ),
    "0x80070569": (
        "the account may not log on as a batch job",
        "give it SeBatchLogonRight ('Log on as a batch job') in the policy that took it, and see who is denied it",
    ),
    "0x80070532": ("the password has expired", "change it on Windows, then {variable}"),
    "0x80070773": ("the password must be changed before the first logon", "change it on Windows, then {variable}"),
    "0x80070533": ("the account is disabled", "enable it"),
    "0x80070775": ("the account is locked out", "unlock it, then correct {variable}"),
    "0x80070534": ("Windows finds no account of that name", "name a local or a domain account as ansible_user"),
    "0x80041310": ("Windows finds no account of that name", "name a local or a domain account as ansible_user"),
    "0x80070005": ("access was denied", "connect with an account that is a member of Administrators"),
}
#: Results of a task that are no failure: it runs, it never ran, somebody ended it.
#: Source: Task Scheduler's constants on Microsoft Learn.
NO_RESULT = frozenset({0, 0x41301, 0x41303, 0x41306})
#: What a result of a task says, where that is the next step.
RESULTS = {
    0x8007052E: "the stored password is wrong: run ./ready windows with the right wsl2_owner_password",
    0x80070569: "the account may not log on as a batch job: give it that right (secpol.msc, User Rights Assignment)",
    0xFFFD0000: "its script is missing: run ./ready windows",
    0xFFFFFFFF: "its wsl.exe was ended from outside, as wsl --terminate and wsl --shutdown do",
}
_CODE = re.compile(r"0x[0-9a-fA-F]{8}\b")


def redacted_message(result: Mapping[str, Any], secrets: Iterable[str]) -> str:
    """Return the message of something that failed under no_log, without secrets."""
    return redacted_line(str(result.get("msg") or "no answer"), secrets) or "no answer"


def refusal(
    result: Mapping[str, Any], account: Mapping[str, Any], *, task: str, variable: str, password: str, host: str
) -> str:
    """Return why Windows does not take a task, "" when it does.

    Args:
        result: what win_scheduled_task returned; its failure is kept by `failed_when: false`.
        account: the account that connects, from the state of the host.
        task: the task's name.
        variable: which variable holds the password, and `password` what is in it.
        password: it stands in no message.
        host: the host's name.
    """
    if not result.get("msg") and not result.get("failed_when_suppressed_exception"):
        return ""
    message = redacted_message(result, [password])
    codes = [code.lower() for code in _CODE.findall(message)]
    unknown = ("", "see {variable} and docs/windows.md")
    meaning, step = next((TASK_ERRORS[code] for code in codes if code in TASK_ERRORS), unknown)
    if account["sid"].startswith(ENTRA_SID_PREFIX):
        meaning, step = meaning or "the account is one of Microsoft Entra", USE_LOCAL_ACCOUNT
    return (
        f"{host}: task Ready\\{task}: found that Windows refuses it{f': {meaning}' if meaning else ''} ({message}); "
        f"expected a task that runs as {account['name']} with its password stored. "
        f"Next: {step.format(variable=variable)}, then run again."
    )


def last_result(code: int | None) -> str:
    """Return the last result of a task in words, "" when it says nothing."""
    if code is None or code in NO_RESULT:
        return ""
    return f"last result {code & 0xFFFFFFFF:#010x}"


def next_step(idle: Sequence[Mapping[str, Any]]) -> str:
    """Return the next step for tasks that do not run: by their last result, else where Windows says more."""
    steps = [RESULTS[code] for task in idle if (code := (task["last_result"] or 0) & 0xFFFFFFFF) in RESULTS]
    if any(task["state"] == "Queued" for task in idle):
        steps.append("Queued: Windows waits for a condition of the task, such as power: see to that, then run again")
    return steps[0] if steps else f"Task Scheduler on the host, folder {RULE_PREFIX}, tab History"
