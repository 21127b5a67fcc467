# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""WSL's MSI: whether this Windows installs it over the network, and what it means when it fails.

The MSI registers an MSIX package for whoever installs it, and a network logon is where that fails. From certain
revisions of Windows on the MSI passes over that; before them it ends with 1603.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..common.finding import Finding
from ..common.verdict import FAIL, PASS, UNKNOWN

#: Build of Windows -> the first revision that runs WSL without its MSIX package. Source: microsoft/WSL,
#: src/windows/wslinstall/DllMain.cpp, DoesBuildSupportDirectMsiExecution (read in 2026).
REVISIONS = {19044: 4529, 19045: 4474, 20348: 2582, 22621: 3672, 22631: 3672, 25398: 1009}
#: From this build on (Windows 11 24H2, Server 2025) every revision does. Older ones that are not named never do.
EVERY_REVISION = 26100
#: What an installation ends with that failed, and while another one runs.
FAILED, BUSY = 1603, 1618


def tolerates_registration_failure(build: int, revision: int) -> bool:
    """Return whether a failed registration of the MSIX package is no failure of the MSI on this Windows."""
    least = REVISIONS.get(build)
    return build >= EVERY_REVISION if least is None else revision >= least


def _next_step(build: int, account: str) -> str:
    """Return what to do where it is one: update, or install where registering works."""
    least = REVISIONS.get(build)
    update = f"install the pending updates of Windows ({build}.{least} or newer)" if least else "upgrade Windows"
    return f"{update}, or log on at the PC as {account} and install WSL's MSI there"


def windows_for(state: Mapping[str, Any], *, needed: bool) -> Finding:
    """Compare the revision of Windows with what WSL's MSI needs; it counts where the MSI is to be installed."""
    build, revision = state["os"]["build"], state["os"]["revision"]
    least = REVISIONS.get(build)
    fits = tolerates_registration_failure(build, revision)
    expected = f"{build}.{least} or newer" if least else f"{EVERY_REVISION} or newer"
    found, verdict, step = f"{build}.{revision}", PASS, ""
    if not fits and not needed:
        found += ", and the package is there already"
    elif not fits and least:
        verdict, step = FAIL, _next_step(build, state["account"]["name"])
    elif not fits:
        found += ", which the cure for WSL's MSI was not made for: it may fail over the network"
        verdict, step = (
            UNKNOWN,
            f"the run tries; ends the MSI with {FAILED}: {_next_step(build, state['account']['name'])}",
        )
    return Finding("wsl_msi", "Windows for WSL's MSI", verdict, found, expected, step)


def fault(
    result: Mapping[str, Any], log: Sequence[str], state: Mapping[str, Any], *, version: str, source: str, host: str
) -> str:
    """Return why WSL's MSI could not be installed.

    Args:
        result: what win_package returned.
        log: the last lines of the MSI's log.
        state: what windows_state.ps1 returned.
        version: of WSL, and `source` is where it comes from.
        host: the host's name.
    """
    code, system = result.get("rc", 0), state["os"]
    found = str(result.get("msg") or "no answer").strip().rstrip(".")
    if code == BUSY:
        step = "another installation runs: wait for it"
    elif code == FAILED and not tolerates_registration_failure(system["build"], system["revision"]):
        found += (
            f" (exit code {code}: its MSIX package could not be registered over the network, and Windows "
            f"{system['build']}.{system['revision']} cannot do without)"
        )
        step = _next_step(system["build"], state["account"]["name"])
    elif log:
        step = "correct what the log says"
    else:
        step = "see wsl2_msi_source, its checksum and the network"
    code_text = f" (exit code {code})" if code and "exit code" not in found else ""
    return (
        f"{host}: WSL {version}: found {found}{code_text}; expected it installed from {source}. Next: {step}, then run "
        f"again. {' | '.join(log)}"
    ).strip()
