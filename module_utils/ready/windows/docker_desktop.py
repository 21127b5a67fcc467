# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What role docker_desktop has to do: installation, settings, start in the owner's session, integration."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..common.finding import Finding
from ..common.verdict import FAIL, NOT_APPLICABLE, PASS, UNKNOWN
from . import shares, task_errors, wsl_output
from .config import ConfigError, decode, merge_settings
from .logon import USE_ENGINE, automatic_logon_obstacle, just_booted, logon_pending, session
from .preflight import is_server
from .versions import bad_docker_desktop, older, parts
from .wsl import missing_features, pending_features

#: Least builds of Windows 10 and 11. Source: Docker's installation page, 2026.
LEAST_BUILDS = {10: 19045, 11: 22631}
FIRST_WINDOWS_11 = 22000
#: The terms, as Docker's own page puts them.
LICENCE = (
    "Docker Desktop needs a paid subscription in organisations with more than 250 employees or more than 10 million US "
    "dollars of yearly revenue"
)
ADDRESS = "https://desktop.docker.com/win/main/amd64/{build}/Docker%20Desktop%20Installer.exe"
#: What the installer returns when it could not elevate itself, signed and unsigned (microsoft/winget-pkgs#93495).
ELEVATION_CODES = {-5, 4294967291}


@dataclass(frozen=True)
class Options:
    """What the inventory asks of Docker Desktop; names as the variables, without their prefix."""

    backend: str
    distribution: str
    version: str = ""
    build: str = ""
    source: str = ""
    sha256: str = ""
    accept_license: bool = False
    allow_restart: bool = False
    accept_bad_version: bool = False
    start: bool = True
    settings: Mapping[str, Any] = field(default_factory=dict)


def engine_of(state: Mapping[str, Any]) -> str | None:
    """Return the version of the engine that answers on Windows, or None."""
    run = state["docker_desktop"]["engine"]
    if run is None or run["rc"] != 0:
        return None
    answered = wsl_output.lines(run["stdout"])
    return answered[0] if answered else None


def wanted_settings(options: Options) -> dict[str, Any]:
    """Return the settings that Ready manages, with those of the inventory over them."""
    return {
        "WslEngineEnabled": True,
        "IntegratedWslDistros": [options.distribution],
        "AutoStart": True,
        "DisableUpdate": True,
        "OpenUIOnStartupDisabled": True,
        **options.settings,
    }


def _windows(state: Mapping[str, Any]) -> Finding:
    system = state["os"]
    line = 11 if system["build"] >= FIRST_WINDOWS_11 else 10
    least = LEAST_BUILDS[line]
    if is_server(state):
        return Finding(
            "docker_windows",
            "Windows for Docker Desktop",
            FAIL,
            system["caption"],
            "no Windows Server: it is not supported",
            USE_ENGINE,
        )
    fits = system["build"] >= least
    return Finding(
        "docker_windows",
        "Windows for Docker Desktop",
        PASS if fits else FAIL,
        f"Windows {line}, build {system['build']}",
        f"build {least} or newer",
        "" if fits else f"update Windows, or {USE_ENGINE}",
    )


def _licence(options: Options) -> Finding:
    return Finding(
        "docker_licence",
        "Licence of Docker Desktop",
        PASS if options.accept_license else FAIL,
        "accepted in the inventory" if options.accept_license else "not accepted",
        LICENCE,
        "" if options.accept_license else f"set docker_desktop_accept_license to true, or {USE_ENGINE}",
    )


def _version(state: Mapping[str, Any], options: Options, install: bool) -> Iterator[Finding]:
    found = state["docker_desktop"]["version"]
    target = options.version if install else found
    why = bad_docker_desktop(target or "")
    if install and not (options.version and options.sha256 and (options.source or options.build)):
        yield Finding(
            "docker_version",
            "Docker Desktop",
            FAIL,
            found or "none",
            f"{options.version or 'a version'}, with its checksum",
            "set docker_desktop_version, docker_desktop_build and docker_desktop_sha256, or docker_desktop_source",
        )
    elif why and not options.accept_bad_version:
        yield Finding(
            "docker_version",
            "Docker Desktop",
            FAIL,
            f"{target}: {why}",
            "a release that installs unattended",
            "set docker_desktop_version to a newer one, or docker_desktop_accept_bad_version to true",
        )
    else:
        yield Finding("docker_version", "Docker Desktop", PASS, found or "none", options.version or "any")
    if install and found and state["docker_desktop"]["processes"] and not options.allow_restart:
        yield Finding(
            "docker_restart",
            "Restart of Docker Desktop",
            FAIL,
            f"{found} runs, {options.version} is wanted",
            "leave to stop every container for the upgrade",
            "set docker_desktop_allow_restart to true",
        )


def _settings(state: Mapping[str, Any], options: Options) -> tuple[Finding, str | None]:
    path = state["docker_desktop"]["settings_path"]
    try:
        text = merge_settings(decode_with_mark(state["docker_desktop"]["settings"]), wanted_settings(options))
    except ConfigError as error:
        return (
            Finding(
                "docker_settings",
                "Settings of Docker Desktop",
                FAIL,
                f"{path}: {error}",
                "a JSON object",
                "correct it, or move it away: Docker Desktop makes a new one; it was not touched",
            ),
            None,
        )
    running = bool(state["docker_desktop"]["processes"])
    if text is not None and running and not options.allow_restart:
        check = Finding(
            "docker_settings",
            "Settings of Docker Desktop",
            FAIL,
            "they differ, and it runs: it would write its own over ours",
            "leave to restart it",
            "set docker_desktop_allow_restart to true, or quit Docker Desktop",
        )
        return check, text
    return Finding(
        "docker_settings", "Settings of Docker Desktop", PASS, "as wanted" if text is None else "they differ"
    ), text


def decode_with_mark(data: str | None) -> str | None:
    """Return a file as text, with a UTF-8 byte order mark kept: Docker's parser refuses one, so it is a difference."""
    text = decode(data)
    if data is not None and text is not None and data.startswith("77u/"):  # base64 of EF BB BF
        return "\ufeff" + text
    return text


def _packages(state: Mapping[str, Any]) -> Iterator[Finding]:
    values = (state["inside"] or {}).get("values", {})
    packages = values.get("docker_packages", "").split()
    if packages:
        yield Finding(
            "docker_packages",
            "Docker in the distro",
            FAIL,
            f"{', '.join(packages)} installed",
            "Docker Desktop's alone",
            "sudo apt-get remove it in the distro, or set docker_backend to engine",
        )


def integration(state: Mapping[str, Any]) -> Finding:
    """Say whether the distro sees Docker Desktop's engine, as seen from inside of it."""
    title, expected = "Docker in the distro", "an engine that answers"
    if state["inside"] is None or not state["inside"]["values"]:
        return Finding("docker_integration", title, UNKNOWN, "not looked at: the distro does not run")
    values = state["inside"]["values"]
    server = values.get("docker_server", "").strip()
    if server:
        return Finding("docker_integration", title, PASS, f"Docker {server}", expected)
    if values.get("docker_command", "").strip() == "dangling":
        found = f"the link {values.get('docker_target', '').strip() or 'docker'} leads nowhere"
        step = "start Docker Desktop, and see that its integration with this distro is on (Settings, Resources)"
    elif values.get("docker_socket"):
        found, step = "a socket, and nothing answers", "restart Docker Desktop"
    else:
        found, step = (
            "neither docker nor its socket",
            "restart Docker Desktop: it forgets integrations after a bad shutdown",
        )
    return Finding("docker_integration", title, FAIL, found, expected, step)


def _group(state: Mapping[str, Any]) -> Iterator[Finding]:
    """Say where the account is not in docker-users, or where nobody knows: WSL's engine runs without it."""
    name = state["account"]["name"]
    title, expected = "Group docker-users", f"{name} is a member, from its next logon on"
    faults = [fault["message"] for fault in state["faults"] if fault["part"] == "docker_users"]
    if faults:
        step = f'where it is none: net localgroup docker-users "{name}" /add, in an administrator\'s PowerShell'
        yield Finding("docker_group", title, UNKNOWN, f"its members could not be read: {faults[0]}", expected, step)
    elif state["docker_desktop"]["group_member"] is False:
        yield Finding("docker_group", title, PASS, f"{name} is none; added by this run", expected)


def _hangs(state: Mapping[str, Any], options: Options) -> bool:
    """Return whether its programs run and no engine answers, and Windows did not start just now."""
    running = bool(state["docker_desktop"]["processes"])
    return options.start and running and engine_of(state) is None and not just_booted(state)


def plan(state: Mapping[str, Any], **given: Any) -> dict[str, Any]:
    """Return what role docker_desktop has to do.

    Args:
        state: what windows_state.ps1 returned.
        given: the fields of Options.

    Returns checks (rows), steps (sentences), and what each group of tasks needs.
    """
    options = Options(**given)
    if options.backend != "desktop":
        check = Finding("docker_desktop", "Docker Desktop", NOT_APPLICABLE, f"docker_backend is {options.backend}")
        return {"checks": [asdict(check)], "steps": [], "wanted": False}
    there = state["docker_desktop"]
    install = older(there["version"], options.version) if options.version else there["version"] is None
    settings_check, settings = _settings(state, options)
    engine, running = engine_of(state), bool(there["processes"])
    group = install or there["group_member"] is False  # the group comes with the installation
    start = options.start and (engine is None or install or settings is not None)
    checks = [_windows(state), _licence(options), *_version(state, options, install), settings_check, *_packages(state)]
    checks += _group(state)
    reboots = bool(missing_features(state) or pending_features(state))  # by role wsl2, which comes first
    needed = start or (options.start and reboots)
    if needed:
        checks.append(session(state, reboots=reboots))
    stuck = _hangs(state, options)
    if stuck and not options.allow_restart:
        checks.append(
            Finding(
                "docker_engine",
                "Engine of Docker Desktop",
                FAIL,
                "its programs run, and no engine answers",
                "an engine that answers, or leave to restart it",
                "wait if it was started just now, else set docker_desktop_allow_restart to true or quit Docker Desktop",
            )
        )
    settled = not install and settings is None and not start
    if settled:
        checks.append(integration(state))
    steps = []
    if install:
        what = "upgrade Docker Desktop to" if there["version"] else "install Docker Desktop"
        steps.append(f"{what} {options.version or '(not set)'}")
    if group:
        steps.append("add the account to docker-users")
    if settings is not None:
        steps.append("merge our keys into settings-store.json")
    if start:
        steps.append("start Docker Desktop in the owner's session" if not running else "restart Docker Desktop")
    source = options.source or ADDRESS.format(build=options.build)
    return {
        "checks": [asdict(check) for check in checks],
        "steps": steps,
        "wanted": True,
        "install": install,
        "uninstall_key": install and not there["user_uninstall_key"],
        "source": source,
        "on_share": shares.is_share(source),
        "file_version": ".".join(str(part) for part in (*parts(options.version), 0, 0, 0, 0)[:4]),
        "stop": running and (install or settings is not None or stuck),
        "group": group,
        "settings": settings,
        "settings_path": there["settings_path"],
        "start": start,
        "awaits_logon": needed and logon_pending(state) and not reboots,
        "stops": needed and reboots and bool(automatic_logon_obstacle(state)),
        "settled": settled,
    }


def start_fault(result: Mapping[str, Any], host: str) -> str:
    """Return why Docker Desktop did not come up, "" when its engine answers; see docker_desktop_start.ps1."""
    if result["engine"]:
        return ""
    programs = ", ".join(result["processes"]) or "none of its programs"
    log = f" Its log ends: {' | '.join(result['log'][-3:])}" if result["log"] else ""
    task, step = result["task"], "look at its window on the host, or run there `docker desktop diagnose`"
    shown = ""
    if task and not result["processes"]:  # nothing was started, so the task is where to look
        shown = f", its task {', '.join(filter(None, (task['state'], task_errors.last_result(task['last_result']))))},"
        step = task_errors.next_step([task]) if task["state"] != "Running" else step
    return (
        f"{host}: Docker Desktop: found {programs} running{shown} and no engine after {result['waited']:g} s; "
        f"expected an engine that answers. Next: {step}.{log}"
    )


def stop_fault(result: Mapping[str, Any], host: str) -> str:
    """Return why Docker Desktop did not stop, "" when none of its programs runs; see docker_desktop_stop.ps1."""
    if result["stopped"]:
        return ""
    output = f" Output: {' | '.join(result['output'])}" if result["output"] else ""
    return (
        f"{host}: stop of Docker Desktop: found {', '.join(result['processes'])} running after {result['waited']:g} s, "
        f"and {result['clients']} wsl.exe; expected none of its programs. "
        f"Next: quit it by its icon on the host, or close the windows of WSL there, then run again.{output}"
    )


def install_fault(result: Mapping[str, Any], log: Sequence[str], host: str) -> str:
    """Return why the installer failed.

    Args:
        result: what win_package returned.
        log: the last lines of install-log-admin.txt.
        host: the host's name.
    """
    code = result.get("rc", 0)
    logged = " | ".join(log)
    step = "see the log, correct what it says"
    if code in ELEVATION_CODES:
        step = "it was not elevated: connect with an account that is a member of Administrators"
    elif "ExistingInstallation.FromRegistry" in logged:
        step = "this is the fault of 4.42; set docker_desktop_version to 4.43.0 or newer"
    elif not code and "404" in str(result.get("msg")):
        step = "Docker keeps installers for six months: name a newer build, or docker_desktop_source"
    elif not code:
        step = "see docker_desktop_sha256, the address and the network"
    message = str(result.get("msg", "no answer")).strip()
    return (
        f"{host}: installation of Docker Desktop: found {message}{f' (exit code {code})' if code else ''}; "
        f"expected it installed. Next: {step}, then run again. {logged}"
    ).strip()
