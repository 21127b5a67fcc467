# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Whether a host can carry a stack: facts against what the stack needs. Pure functions; nothing is read or changed."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from . import exposure, foreign, memory, ownership, preflightdata, schedules
from .checkrow import Check, Limits, mib
from .container import REPLACED, containers
from .dockerprobe import situation
from .part import FAIL, PASS, UNKNOWN
from .plan import being_replaced, to_try

#: Distribution -> release -> whether Ready's own tests ran on it.
PLATFORMS = {"debian": {"12": True, "13": True}, "ubuntu": {"22.04": False, "24.04": False}}
ARCHITECTURES = {"x86_64": True, "aarch64": False}
LEAST_PYTHON = (3, 10)
#: Needed beside a stack that is already made: room for logs and growth until somebody looks.
DISK_WHEN_MADE = 2**30


def _platform(facts: Mapping[str, Any], action: str) -> Iterator[Check]:
    release = facts["os"]
    tried = PLATFORMS.get(release["id"], {}).get(release["version_id"])
    verdict = PASS if tried is not None else FAIL if action == "install" else UNKNOWN
    note = {True: "", False: " (written for, not tried)", None: " (not tried)"}[tried]
    yield Check(
        "os",
        "Operating system",
        verdict,
        f"{release['pretty_name'] or 'unknown'}{note}",
        "Debian 12, 13, Ubuntu 22.04 or 24.04",
        "install Docker yourself; Ready then uses it as it is" if verdict == FAIL else "",
    )
    tried = ARCHITECTURES.get(facts["architecture"])
    yield Check(
        "architecture",
        "Architecture",
        FAIL if tried is None else PASS if tried else UNKNOWN,
        f"{facts['architecture']}{'' if tried else ' (not tried)'}",
        "x86_64",
        "use an x86_64 host" if tried is None else "",
    )
    version = facts["python"]["version"]
    fits = tuple(int(part) for part in version.split(".")[:2]) >= LEAST_PYTHON
    yield Check(
        "python",
        "Python",
        PASS if fits else FAIL,
        f"{version} ({facts['python']['executable']})",
        "3.10 or newer",
        "" if fits else "install a newer python3, or set ansible_python_interpreter to one",
    )


def _docker(facts: Mapping[str, Any], docker: Mapping[str, str]) -> Check:
    action, found = docker["action"], docker["found"]
    expected, after = "a daemon that answers, or none and root rights to install one", docker["next"]
    verdict = FAIL if action == "refuse" else PASS
    if action in {"install", "start"}:
        if facts["is_root"]:
            found += "; it will be installed" if action == "install" else "; it will be started"
        else:
            verdict, after = FAIL, "run as root or with `-- --become` (sudo): Docker must be installed or started"
    return Check("docker", "Docker", verdict, found, expected, after)


def _disk(facts: Mapping[str, Any], made: bool, limits: Limits) -> Check:
    if not facts["docker"]["local"]:
        return Check("disk", "Disk", UNKNOWN, f"the daemon at {facts['docker']['host']} is another machine's")
    disk = facts["disk"]["docker"]
    wanted = min(limits.disk_free, DISK_WHEN_MADE) if made else limits.disk_free
    fits = disk["free"] >= wanted
    return Check(
        "disk",
        "Disk",
        PASS if fits else FAIL,
        f"{mib(disk['free'])} free at {disk['path']}",
        f"{mib(wanted)} for images and data",
        "" if fits else "free disk space there, or set preflight_disk_free lower",
    )


def _overlap(bind: str, address: str) -> bool:
    """Return whether listening on both addresses at once is impossible; :: takes IPv4 as well."""
    one, two = (ipaddress.ip_address(text.partition("%")[0].removeprefix("::ffff:")) for text in (bind, address))
    if one.version == two.version:
        return one == two or one.is_unspecified or two.is_unspecified
    return (one.is_unspecified and one.version == 6) or (two.is_unspecified and two.version == 6)


def _holder(
    facts: Mapping[str, Any], stack: str, service: Mapping[str, Any], port: Mapping[str, Any]
) -> tuple[bool, str]:
    """Return (whether the port is free or our own container's, who holds it)."""
    for item in facts["docker"]["published"]:
        if item["port"] == port["host"]:
            names = {service["container"], f"{service['container']}{REPLACED}"}  # a killed run was replacing that one
            ours = item["container"] in names and item["stack"] == stack
            return ours, f"container {item['container']}"
    for place, rows in (("", facts["listening"]), (" on Windows", facts["windows_listening"] or [])):
        for row in rows:
            if row["port"] == port["host"] and _overlap(port["bind"], row["address"]):
                who = (
                    f"{row['process']} (pid {row['pid']})"
                    if row["process"]
                    else f"pid {row['pid'] or 'hidden: not root'}"
                )
                return False, f"process {who}{place}, listening on {row['address']}"
    return True, "nobody"


def _ports(
    facts: Mapping[str, Any], stack: str, services: Mapping[str, Any], state: Mapping[str, Any]
) -> Iterator[Check]:
    for name, service in services.items():
        have = state.get(name, {})
        for port in service["ports"]:
            up = have.get("running") or have.get("status") == "restarting"  # between two tries its proxy comes and goes
            held = up and have.get("ours", True) and port["host"] in have.get("ports", [])
            fits, holder = (True, f"container {service['container']}") if held else _holder(facts, stack, service, port)
            variable = f"{name}_{port['variable']}"
            label = name if port["name"] == name else f"{name} {port['name']}"
            identifier = f"port_{variable.removesuffix('_port')}"
            if not facts["docker"]["local"] and not held and holder == "nobody":
                yield Check(identifier, f"Port {port['host']} ({label})", UNKNOWN, "it is another machine's")
                continue
            yield Check(
                identifier,
                f"Port {port['host']} ({label})",
                PASS if fits else FAIL,
                f"held by {holder}" if holder != "nobody" else "free",
                f"free, or held by {service['container']}",
                "" if fits else f"stop it, or set {variable} to another port",
            )


def _binds(services: Mapping[str, Any]) -> Check:
    beyond, refused = exposure.published(services), exposure.refusals(services)
    return Check(
        "bind",
        "Published addresses",
        FAIL if refused else PASS,
        ", ".join(f"{name}_bind_address {address}" for name, address in beyond.items()) or "loopback only",
        "loopback, or beyond it services with authentication and TLS alone",
        "; ".join(refused.values()),
    )


def _certificates(stack: Mapping[str, Any]) -> Check:
    """Hold what services that speak TLS are going to serve against what clients accept (tls.standing)."""
    standing = stack.get("certificates", {})
    faults = {name: its["fault"] for name, its in standing.items() if its["fault"]}
    words = {
        name: its["fault"] or (f"to be made: {its['due']}" if its["due"] else its["origin"])
        for name, its in standing.items()
    }
    return Check(
        "certificates",
        "Certificates",
        FAIL if faults else PASS,
        "; ".join(f"{name}: {word}" for name, word in words.items()) or "no service speaks TLS",
        "certificates that clients accept, with their keys",
        f"mend the files, or {' and '.join(f'{name}_tls' for name in faults)}; without certificate, key and ca the "
        "stack's own authority makes them"
        if faults
        else "",
    )


def _clock(facts: Mapping[str, Any], limits: Limits, after: float | None) -> Check:
    epoch, before = facts["time"]["epoch"], facts["time"]["controller"]
    if before is None or after is None:
        return Check("clock", "Clock", UNKNOWN, "the controller's time is not known")
    # The host was asked between `before` and `after`: what lies between the two is no skew.
    skew = max(0.0, before - epoch, epoch - after)
    fits = skew <= limits.clock_skew
    return Check(
        "clock",
        "Clock",
        PASS if fits else FAIL,
        f"{skew:.1f} s away from the controller's" if skew else "as the controller's",
        f"at most {limits.clock_skew:g} s apart",
        "" if fits else "set the clock (timedatectl set-ntp true; under WSL: wsl --shutdown), or the controller's",
    )


def _surroundings(facts: Mapping[str, Any]) -> Iterator[Check]:
    proxies = ", ".join(f"{name}={url}" for name, url in facts["proxy"].items())
    yield Check("proxy", "Proxy", PASS, proxies or "none")
    named: dict[str, list[str]] = {}
    for name, path in facts["ca"]["env"].items():
        named.setdefault(path, []).append(name)
    ca = "; ".join(f"{path} ({', '.join(names)})" for path, names in named.items())
    yield Check("ca", "CA certificates", PASS, ca or facts["ca"]["bundle"] or "the system has no bundle")


def _images(stack: Mapping[str, Any], state: Mapping[str, Any], images: Mapping[str, Any]) -> Check:
    asked = stack["image_source"]
    missing = [
        name
        for name in stack["services"]
        if name not in images and not state.get(name, {}).get("image", {}).get("present")
    ]
    sources = sorted({str(image["source"]) for image in images.values()})
    if missing:
        found = f"{asked} is asked for; not tried yet for {', '.join(missing)}"
        return Check("images", "Image source", UNKNOWN, found, "a source that works", "role container_images tries it")
    return Check("images", "Image source", PASS, f"{', '.join(sources)} serves" if sources else "every image is here")


def evaluate(
    facts: Mapping[str, Any],
    stack: Mapping[str, Any],
    state: Mapping[str, Any] | None = None,
    *,
    limits: Limits | None = None,
    images: Mapping[str, Any] | None = None,
    now: float | None = None,
    docker_backend: str = "",
) -> list[Check]:
    """Return everything that was looked at before anything is changed.

    Args:
        facts: what library/host_facts.py returns.
        stack: the fact `ready_stack`.
        state: what library/stack_state.py returns; empty when it was not read.
        limits: what the inventory asks of the host.
        images: the fact `ready_images`, once images are known.
        now: the controller's time after the facts were read (seconds since 1970).
        docker_backend: what the inventory wants under WSL; see dockerprobe.situation.
    """
    limits, images, state = limits or Limits(), images or {}, state or {}
    services, found = stack["services"], state.get("services", {})
    to_start = [
        name
        for name, service in services.items()
        if not found.get(name, {}).get("running") and being_replaced(state, service) != "running"
    ]
    made = all(found.get(name, {}).get("exists") for name in services)
    docker = situation(facts, docker_backend)
    return [
        *_platform(facts, docker["action"]),
        _docker(facts, docker),
        memory.memory(facts, services, to_start, to_try(stack, state), limits),
        memory.limits_fit(services, found),
        _disk(facts, made, limits),
        ownership.check(stack, state),
        *_ports(facts, stack["name"], services, found),
        _binds(services),
        foreign.check(stack["name"], containers(stack), state),
        preflightdata.volumes(stack, state, images),
        _clock(facts, limits, now),
        *_surroundings(facts),
        _images(stack, found, images),
        preflightdata.secrets(stack, state),
        _certificates(stack),
        schedules.check(stack),
    ]


def verdict(checks: Iterable[Mapping[str, Any]]) -> str:
    """Return the worst verdict of checks as rows."""
    found = {check["verdict"] for check in checks}
    return next((word for word in (FAIL, UNKNOWN) if word in found), PASS)


def failures(host: str, checks: Iterable[Mapping[str, Any]]) -> str:
    """Return one readable message about every failed check, a line each."""
    return "\n".join(
        f"{host}: {check['title']}: found {check['found']}; expected {check['expected']}. Next: {check['next']}."
        for check in checks
        if check["verdict"] == FAIL
    )


def rows(checks: Iterable[Check]) -> list[dict[str, str]]:
    """Return checks as plain data, for tables and evidence."""
    return [asdict(check) for check in checks]
