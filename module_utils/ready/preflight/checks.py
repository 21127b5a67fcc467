# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide whether a host can carry a stack, from its facts and what the stack needs. Pure functions."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict
from typing import Any

from ..common.finding import Finding
from ..common.labels import REPLACED
from ..common.units import mib
from ..common.verdict import FAIL, PASS, UNKNOWN
from ..docker.plan import being_replaced, to_try
from ..host.engine_situation import situation
from ..stack import ownership, schedules
from ..stack.image_names import stack_images
from ..stack.resolved import answering_container, containers, serves_clients
from . import data as preflight_data
from . import exposure, foreign, memory
from .limits import Limits

#: Distribution -> release -> whether Ready's own tests ran on it.
PLATFORMS = {"debian": {"12": True, "13": True}, "ubuntu": {"22.04": False, "24.04": False}}
ARCHITECTURES = {"x86_64": True, "aarch64": False}
LEAST_PYTHON = (3, 10)
#: Needed beside a stack that is already made: room for logs and growth until somebody looks.
DISK_WHEN_MADE = 2**30


def _platform(facts: Mapping[str, Any], action: str) -> Iterator[Finding]:
    release = facts["os"]
    tried = PLATFORMS.get(release["id"], {}).get(release["version_id"])
    verdict = PASS if tried is not None else FAIL if action == "install" else UNKNOWN
    note = {True: "", False: " (written for, not tried)", None: " (not tried)"}[tried]
    yield Finding(
        "os",
        "Operating system",
        verdict,
        f"{release['pretty_name'] or 'unknown'}{note}",
        "Debian 12, 13, Ubuntu 22.04 or 24.04",
        "install Docker yourself; Ready then uses it as it is" if verdict == FAIL else "",
    )
    tried = ARCHITECTURES.get(facts["architecture"])
    yield Finding(
        "architecture",
        "Architecture",
        FAIL if tried is None else PASS if tried else UNKNOWN,
        f"{facts['architecture']}{'' if tried else ' (not tried)'}",
        "x86_64",
        "use an x86_64 host" if tried is None else "",
    )
    version = facts["python"]["version"]
    fits = tuple(int(part) for part in version.split(".")[:2]) >= LEAST_PYTHON
    yield Finding(
        "python",
        "Python",
        PASS if fits else FAIL,
        f"{version} ({facts['python']['executable']})",
        "3.10 or newer",
        "" if fits else "install a newer python3, or set ansible_python_interpreter to one",
    )


def _docker(facts: Mapping[str, Any], docker: Mapping[str, str]) -> Finding:
    action, found = docker["action"], docker["found"]
    after = docker["next"]
    expected = docker.get("expected", "a daemon that answers, or none and root rights to install one")
    verdict = FAIL if action == "refuse" else PASS
    if action in {"install", "start"}:
        if facts["is_root"]:
            found += "; it will be installed" if action == "install" else "; it will be started"
        else:
            verdict, after = FAIL, "run as root or with `-- --become` (sudo): Docker must be installed or started"
    return Finding("docker", "Docker", verdict, found, expected, after)


def _disk(facts: Mapping[str, Any], made: bool, limits: Limits) -> Finding:
    if not facts["docker"]["local"]:
        return Finding("disk", "Disk", UNKNOWN, f"the daemon at {facts['docker']['host']} is another machine's")
    disk = facts["disk"]["docker"]
    wanted = min(limits.disk_free, DISK_WHEN_MADE) if made else limits.disk_free
    fits = disk["free"] >= wanted
    return Finding(
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
            container = answering_container(service)
            names = {container, f"{container}{REPLACED}"}  # a killed run was replacing that one
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
) -> Iterator[Finding]:
    for name, service in services.items():
        have, container = state.get(service.get("front", service)["name"], {}), answering_container(service)
        for port in service["ports"]:
            up = have.get("running") or have.get("status") == "restarting"  # between two tries its proxy comes and goes
            held = up and have.get("ours", True) and port["host"] in have.get("ports", [])
            fits, holder = (True, f"container {container}") if held else _holder(facts, stack, service, port)
            variable = f"{name}_{port['variable']}"
            label = name if port["name"] == name else f"{name} {port['name']}"
            identifier = f"port_{variable.removesuffix('_port')}"
            if not facts["docker"]["local"] and not held and holder == "nobody":
                yield Finding(identifier, f"Port {port['host']} ({label})", UNKNOWN, "it is another machine's")
                continue
            yield Finding(
                identifier,
                f"Port {port['host']} ({label})",
                PASS if fits else FAIL,
                f"held by {holder}" if holder != "nobody" else "free",
                f"free, or held by {container}",
                "" if fits else f"stop it, or set {variable} to another port",
            )


def _binds(services: Mapping[str, Any]) -> Finding:
    beyond, refused = exposure.published_beyond_loopback(services), exposure.exposure_refusals(services)
    return Finding(
        "bind",
        "Published addresses",
        FAIL if refused else PASS,
        ", ".join(f"{name}_bind_address {address}" for name, address in beyond.items()) or "loopback only",
        "loopback, or beyond it services with authentication and TLS alone",
        "; ".join(refused.values()),
    )


def _certificates(stack: Mapping[str, Any]) -> Finding:
    """Hold what services that speak TLS are going to serve against what clients accept (tls.certificate_states)."""
    standing = stack.get("certificates", {})
    faults = {name: its["fault"] for name, its in standing.items() if its["fault"]}
    words = {
        name: its["fault"] or (f"to be made: {its['due']}" if its["due"] else its["origin"])
        for name, its in standing.items()
    }
    return Finding(
        "certificates",
        "Certificates",
        FAIL if faults else PASS,
        "; ".join(f"{name}: {word}" for name, word in words.items()) or "no service speaks TLS",
        "certificates that clients accept, with their keys",
        f"correct the files, or {' and '.join(f'{name}_tls' for name in faults)}; without certificate, key and ca the "
        "stack's own authority makes them"
        if faults
        else "",
    )


def _clock(facts: Mapping[str, Any], limits: Limits, after: float | None) -> Finding:
    epoch, before = facts["time"]["epoch"], facts["time"]["controller"]
    if before is None or after is None:
        return Finding("clock", "Clock", UNKNOWN, "the controller's time is not known")
    # The host was asked between `before` and `after`: what lies between the two is no skew.
    skew = max(0.0, before - epoch, epoch - after)
    fits = skew <= limits.clock_skew
    return Finding(
        "clock",
        "Clock",
        PASS if fits else FAIL,
        f"{skew:.1f} s away from the controller's" if skew else "as the controller's",
        f"at most {limits.clock_skew:g} s apart",
        "" if fits else "set the clock (timedatectl set-ntp true; under WSL: wsl --shutdown), or the controller's",
    )


def _surroundings(facts: Mapping[str, Any]) -> Iterator[Finding]:
    proxies = ", ".join(f"{name}={url}" for name, url in facts["proxy"].items())
    yield Finding("proxy", "Proxy", PASS, proxies or "none")
    named: dict[str, list[str]] = {}
    for name, path in facts["ca"]["env"].items():
        named.setdefault(path, []).append(name)
    ca = "; ".join(f"{path} ({', '.join(names)})" for path, names in named.items())
    yield Finding("ca", "CA certificates", PASS, ca or facts["ca"]["bundle"] or "the system has no bundle")


def _images(
    stack: Mapping[str, Any], state: Mapping[str, Any], images: Mapping[str, Any], foreseen: Mapping[str, str]
) -> Finding:
    asked, unknown = (
        stack["image_source"],
        {name: its for name, its in stack_images(stack).items() if name not in images},
    )
    if faults := [foreseen[name].partition(". Next: ") for name in unknown if foreseen.get(name)]:
        found, after = ("; ".join(dict.fromkeys(fault[part] for fault in faults)) for part in (0, 2))
        return Finding("images", "Image source", FAIL, found, "a source that works", after)
    missing = [
        name
        for name, image in unknown.items()
        if not any(state.get(user, {}).get("image", {}).get("present") for user in image["users"])
    ]
    sources = sorted({str(image["source"]) for image in images.values()})
    if missing:
        found = f"{asked} is asked for; not tried yet for {', '.join(missing)}"
        return Finding(
            "images", "Image source", UNKNOWN, found, "a source that works", "role container_images tries it"
        )
    return Finding("images", "Image source", PASS, f"{', '.join(sources)} serves" if sources else "every image is here")


def evaluate(
    facts: Mapping[str, Any],
    stack: Mapping[str, Any],
    state: Mapping[str, Any] | None = None,
    *,
    limits: Limits | None = None,
    images: Mapping[str, Any] | None = None,
    foreseen: Mapping[str, str] | None = None,
    now: float | None = None,
    docker_backend: str = "",
) -> list[Finding]:
    """Return everything that was looked at before anything is changed.

    Args:
        facts: what library/host_facts.py returns.
        stack: the fact `ready_stack`.
        state: what library/stack_state.py returns; empty when it was not read.
        limits: what the inventory asks of the host.
        images: the fact `ready_images`, once images are known.
        foreseen: image -> why nothing can serve it, "" where something may; of those that no public registry holds.
        now: the controller's time after the facts were read (seconds since 1970).
        docker_backend: what the inventory wants under WSL; see engine_situation.situation.
    """
    limits, images, state = limits or Limits(), images or {}, state or {}
    services, found = stack["services"], state.get("services", {})
    missed = {name: its for name, its in containers(stack).items() if serves_clients(its)}
    to_start = [
        name
        for name, service in missed.items()
        if not found.get(name, {}).get("running") and being_replaced(state, service) != "running"
    ]
    made = all(found.get(name, {}).get("exists") for name in services)
    docker = situation(facts, docker_backend)
    return [
        *_platform(facts, docker["action"]),
        _docker(facts, docker),
        memory.check_memory(facts, missed, to_start, to_try(stack, state), limits),
        memory.check_limits(services, found),
        _disk(facts, made, limits),
        ownership.check(stack, state),
        *_ports(facts, stack["name"], services, found),
        _binds(services),
        foreign.check_ownership(stack["name"], containers(stack), state),
        preflight_data.check_volumes(stack, state, images),
        _clock(facts, limits, now),
        *_surroundings(facts),
        _images(stack, found, images, foreseen or {}),
        preflight_data.check_secrets(stack, state),
        _certificates(stack),
        schedules.check(stack),
    ]


def failure_text(host: str, checks: Iterable[Mapping[str, Any]]) -> str:
    """Return one readable message about every failed check, a line each."""
    return "\n".join(
        f"{host}: {check['title']}: found {check['found']}; expected {check['expected']}. Next: {check['next']}."
        for check in checks
        if check["verdict"] == FAIL
    )


def finding_rows(checks: Iterable[Finding]) -> list[dict[str, str]]:
    """Return checks as plain data, for tables and evidence."""
    return [asdict(check) for check in checks]
