# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What role wsl2 has to do: features, package, distro, its configuration, and the task that keeps it."""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from typing import Any

from ..common.finding import Finding
from ..common.verdict import FAIL, PASS, UNKNOWN
from ..host import engine_proxy
from . import keepalive, msi, proxies, shares, wsl_output
from .config import decode, ini_values, merge_ini
from .distro import Options, exceptions, no_proxy_form, no_proxy_of, orders, proxy_of
from .versions import older, parts

FEATURES = ("VirtualMachinePlatform", "Microsoft-Windows-Subsystem-Linux")
#: The name of the pending state differs between DISM and PowerShell; both are read.
PENDING = frozenset({"EnablePending", "EnabledPending"})
#: From here on the package works in a session without a desktop. Source: microsoft/WSL#9231.
LEAST_WSL = "2.0.1"
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
USER = re.compile(r"[a-z_][a-z0-9_-]{0,31}")
RELEASE = "22.04"
#: States of systemd that a distro can be used in, or soon will be: another start would bring nothing.
SYSTEMD_UP = frozenset({"running", "degraded", "starting", "initializing"})


def distro_of(state: Mapping[str, Any], name: str) -> Mapping[str, Any] | None:
    """Return the connecting account's distro of a name. Windows compares names without case."""
    return next((item for item in state["distros"] if item["mine"] and item["name"].lower() == name.lower()), None)


def is_ours(distro: Mapping[str, Any] | None) -> bool:
    """Return whether Ready made a distro: the marker beside its folder names it."""
    if distro is None or not distro["marker"]:
        return False
    try:
        named = json.loads(decode(distro["marker"]) or "")["distribution"]
    except (ValueError, KeyError, TypeError):
        return False
    return bool(str(named).lower() == distro["name"].lower())


def pending_features(state: Mapping[str, Any]) -> list[str]:
    """Return features that were enabled and wait for a reboot."""
    return sorted(name for name, found in (state["features"] or {}).items() if found in PENDING)


def missing_features(state: Mapping[str, Any]) -> list[str]:
    """Return features that are neither enabled nor waiting."""
    return [name for name in FEATURES if (state["features"] or {}).get(name) not in {*PENDING, "Enabled"}]


def _features(state: Mapping[str, Any]) -> Finding:
    unknown = [name for name in FEATURES if (state["features"] or {}).get(name) is None]
    waiting, absent = pending_features(state), missing_features(state)
    found = "; ".join(f"{name}: {(state['features'] or {}).get(name) or 'unknown'}" for name in FEATURES)
    step = ""
    if unknown:
        step = "update Windows: this edition does not offer the feature"
    elif waiting or absent:
        step = "they are enabled, and one reboot finishes it"
    return Finding("features", "Windows features", FAIL if unknown else PASS, found, "enabled", step)


def _reboot(state: Mapping[str, Any], options: Options) -> Finding:
    features = [name for name in FEATURES if name in {*pending_features(state), *missing_features(state)}]
    needed = bool(features)
    why = [f"to finish enabling {' and '.join(features)}"] if needed else []
    why += [f"by {reason}, whatever Ready does" for reason in state["pending_reboot"]]
    verdict = FAIL if needed and not options.allow_reboot else PASS
    return Finding(
        "reboot",
        "Reboot",
        verdict,
        f"needed {', '.join(why)}" if why else "none is pending",
        "none, or leave to reboot",
        "run again with wsl2_allow_reboot set to true, or enable the features and reboot yourself"
        if verdict == FAIL
        else "",
    )


def needs_package(state: Mapping[str, Any], options: Options) -> bool:
    """Return whether the MSI is to be installed: there is none, or it is older than asked for or than works."""
    wanted = options.msi_version or LEAST_WSL
    return bool(older(state["wsl"]["version"], wanted))


def _package(state: Mapping[str, Any], options: Options) -> Finding:
    found, needed = state["wsl"], needs_package(state, options)
    if found["version"]:
        shown = f"{found['version']} in {found['install_location']}"
    elif found["stub"]:
        shown = "System32\\wsl.exe alone, which does not work in remote sessions, not even with the Store's package"
    else:
        shown = "none"
    given = options.msi_version and options.msi_source and options.msi_sha256
    verdict = FAIL if needed and not given else PASS
    return Finding(
        "wsl",
        "WSL",
        verdict,
        shown,
        f"the MSI, {options.msi_version or LEAST_WSL} or newer",
        "set wsl2_msi_version and wsl2_msi_sha256: the MSI is then installed" if verdict == FAIL else "",
    )


def _probe(state: Mapping[str, Any]) -> Iterator[Finding]:
    """Find what wsl.exe itself complains about. While a feature waits for a reboot its complaint says nothing new."""
    if pending_features(state) or missing_features(state):
        return
    for name, title, run in (
        ("wsl_answers", "wsl.exe", state["wsl"]["probe"]),
        ("distro_starts", "Start of the distro", (state["inside"] or {}).get("run")),
    ):
        fault = wsl_output.fault(run)
        if fault:
            yield Finding(name, title, FAIL, fault.meaning, "it answers", fault.next)


def _missing_distro(state: Mapping[str, Any], options: Options) -> tuple[str, str, str]:
    """Return found, expected and next of a distro that is not there; next is empty when it can be made."""
    name, location = options.distribution, options.location
    others = [item["owner"] for item in state["distros"] if item["name"].lower() == name.lower()]
    there = [item["name"] for item in state["distros"] if item["base_path"].lower() == location.lower()]
    if others:
        found = f"it belongs to {', '.join(others)}; distros are per account"
        return found, "ours, or none", f"connect as {others[0]}, or set wsl_distribution to another name"
    if there:
        found = f"{location} is in use by the distro {there[0]}"
        return found, "a folder of its own", "set wsl_location to another folder; nothing was deleted"
    if state["disk"]["location_used"]:
        found = f"{location} is not empty, and no distro is registered there"
        return found, "an empty folder, or none", "look at it and empty it, or set wsl_location; nothing was deleted"
    if not (options.rootfs_source and options.rootfs_sha256):
        step = "set wsl2_rootfs_source and wsl2_rootfs_sha256"
        return "none, and no image to make it from", "an image with its checksum", step
    return "none", "ours, or none", ""


def _existing_distro(state: Mapping[str, Any], options: Options, distro: Mapping[str, Any]) -> tuple[str, str, str]:
    """Return found, expected and next of the distro that is there; next is empty when it serves."""
    name, ours = options.distribution, is_ours(distro)
    release = ini_values((state["inside"] or {}).get("values", {}).get("os_release", "")).get("", {})
    version = release.get("version_id", "").strip('"')
    other = "set wsl_distribution to another name"
    if distro["version"] != 2:
        return f"WSL {distro['version']}", "WSL 2", f"wsl --set-version {name} 2, or {other}"
    if not ours and not options.adopt:
        step = f"{other}, or wsl2_adopt to true to let Ready configure this one; it is left untouched"
        return f"in {distro['base_path']}, and Ready did not make it", "ours, or none", step
    if version and version != RELEASE:
        shown = release.get("pretty_name", version).strip('"')
        return shown, f"Ubuntu {RELEASE}", f"{other}: a new one is made"
    size = f", {distro['disk_bytes'] / 2**30:,.1f} GiB on disk" if distro["disk_bytes"] else ""
    return f"{'ours' if ours else 'adopted'}{size}", "ours, or none", ""


def _distro(state: Mapping[str, Any], options: Options) -> Finding:
    distro = distro_of(state, options.distribution)
    found, expected, step = (
        _missing_distro(state, options) if distro is None else _existing_distro(state, options, distro)
    )
    return Finding("distro", f"Distro {options.distribution}", FAIL if step else PASS, found, expected, step)


def _disk(distro: Mapping[str, Any] | None, options: Options) -> Iterator[Finding]:
    """Compare the virtual disk with what it may take; it grows, and does not shrink by itself."""
    size = distro["disk_bytes"] if distro else None
    if not size or not options.disk_limit:
        return
    fits = size <= options.disk_limit
    yield Finding(
        "distro_disk",
        "Virtual disk of the distro",
        PASS if fits else FAIL,
        f"{size / 2**30:,.1f} GiB",
        f"at most {options.disk_limit / 2**30:,.1f} GiB (wsl2_disk_limit)",
        ""
        if fits
        else f"wsl --manage {options.distribution} --set-sparse true, or, with WSL shut down, Optimize-VHD -Path "
        f"{distro['base_path'] if distro else ''}\\ext4.vhdx -Mode Full; or set wsl2_disk_limit higher",
    )


def _systemd_not_running(state: Mapping[str, Any]) -> bool:
    """Return whether the distro runs without systemd: its wsl.conf was written, and it was not restarted since."""
    values = (state["inside"] or {}).get("values", {})
    return bool(values) and values.get("systemd", "").strip() not in SYSTEMD_UP


def _inside(state: Mapping[str, Any]) -> Iterator[Finding]:
    """Say what is seen inside of a distro that is there."""
    if state["inside"] is None:
        yield Finding("inside", "Inside of the distro", UNKNOWN, "it does not run, and was not started for a look")
    elif state["inside"]["values"]:  # else it did not start, which is a finding
        found = state["inside"]["values"].get("systemd", "").strip() or "none"
        step = "the distro is restarted; if that does not help, see journalctl -b in it"
        up = not _systemd_not_running(state)
        title = "systemd in the distro"
        yield Finding("systemd", title, PASS if up else UNKNOWN, found, "running or degraded", "" if up else step)


def _proxy(state: Mapping[str, Any], options: Options) -> Iterator[Finding]:
    yield from proxies.report(state, options.proxy)
    proxy = proxy_of(state, options)
    try:
        _ = proxy and engine_proxy.proxy_file(proxy, no_proxy_of(state, options))
    except engine_proxy.ProxyError as error:
        yield Finding(
            "proxy", "Proxy of the distro", FAIL, str(error), "a URL, or none", "correct wsl2_proxy, wsl2_no_proxy"
        )
    lost = [entry for entry in exceptions(state) if entry and not no_proxy_form(entry)]
    if proxy and options.proxy == "windows" and lost:
        has, are = ("has", "is") if len(lost) == 1 else ("have", "are")
        found = f"{', '.join(lost)} {has} no form in no_proxy, and {are} left out"
        step = "name in wsl2_no_proxy what the distro has to reach directly"
        yield Finding("proxy_bypass", "Exceptions of Windows' proxy", PASS, found, "names and networks", step)


def schedules(host: str, distros: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """Return what happens by schedule in the distros of a Windows host, in words.

    Args:
        host: the Windows host.
        distros: host -> its variables, of any hosts; those of other Windows hosts, and of none, are passed over.
    """
    return [
        f"{name} has {variable} {variables[variable]}"
        for name, variables in distros.items()
        if variables.get("ansible_wsl_windows_host") == host
        for variable in ("backup_schedule", "backup_drill_schedule")
        if variables.get(variable, "never") != "never"
    ]


def _names(options: Options) -> Iterator[Finding]:
    if not NAME.fullmatch(options.distribution):
        yield Finding(
            "names",
            "Name of the distro",
            FAIL,
            options.distribution,
            "letters, digits, . _ -",
            "set wsl_distribution to another",
        )
    if not USER.fullmatch(options.user):
        yield Finding(
            "names", "User in the distro", FAIL, options.user, "a name of Linux: a-z 0-9 _ -", "set wsl_user to another"
        )
    if not re.fullmatch(r"[A-Za-z]:\\[^\"\r\n]+[^\\\"\r\n]", options.location):
        yield Finding(
            "names",
            "Folder of the distro",
            FAIL,
            options.location,
            "a full path, such as C:\\Ready\\x",
            "set wsl_location",
        )


def plan(state: Mapping[str, Any], **given: Any) -> dict[str, Any]:
    """Return what role wsl2 has to do.

    Args:
        state: what windows_state.ps1 returned.
        given: the fields of Options.

    Returns checks (rows), steps (sentences), and what each group of tasks needs.
    """
    options = Options(**given)
    distro = distro_of(state, options.distribution)
    features, waiting = missing_features(state), pending_features(state)
    package = needs_package(state, options)
    held = decode(state["wsl"]["wslconfig"])
    wslconfig = merge_ini(held, options.config) if options.config else held or ""
    config = ini_values(wslconfig) != ini_values(held or "")
    proxy = list(_proxy(state, options))
    unusable = any(check.verdict == FAIL for check in proxy)
    todo, restart = orders(state, dataclasses.replace(options, proxy="") if unusable else options)
    looked = state["inside"] is not None
    if distro is not None and not looked:
        todo, restart = "", False
    restart = restart or (distro is not None and _systemd_not_running(state))
    kept = keepalive.plan(state, options)
    checks = [
        *_names(options),
        *proxy,
        _features(state),
        _reboot(state, options),
        _package(state, options),
        msi.windows_for(state, needed=package),
        *_probe(state),
        _distro(state, options),
        *_disk(distro, options),
        *([] if distro is None else _inside(state)),
        kept.check,
        *([] if distro is None else keepalive.log_off(state, options)),
    ]
    default = state["wsl"]["default_version"] != 2
    steps = [f"enable the feature {name}" for name in features]
    if features or waiting:
        steps.append("reboot once")
    if package:
        steps.append(f"install WSL {options.msi_version or '(version not set)'}")
    if default:
        steps.append("make WSL 2 the default for new distros")
    if config:
        steps.append("merge our keys into .wslconfig")
    if distro is None:
        steps.append(f"import {options.distribution} into {options.location}")
    steps += [f"in the distro: {' '.join(line.split()[:3])}" for line in todo.splitlines()]
    if restart:
        steps.append("restart the distro, so that wsl.conf counts")
    steps += kept.steps(options)
    return {
        "checks": [asdict(check) for check in checks],
        "steps": steps,
        "features": features,
        "reboot": bool(features or waiting),
        "package": package,
        "msi_on_share": shares.is_share(options.msi_source),
        "rootfs_on_share": shares.is_share(options.rootfs_source),
        "package_version": ".".join(str(part) for part in (*parts(options.msi_version), 0, 0, 0)[:4]),
        "default_version": default,
        "wslconfig": wslconfig if config else None,
        "shutdown": config and options.allow_shutdown,
        "import": distro is None,
        "orders": todo,
        "restart": restart,
        "keepalive_task": kept.task(state, options).variables(),
        "marker": json.dumps({"distribution": options.distribution, "made_by": "ready"}),
        "ours": is_ours(distro),
    }
