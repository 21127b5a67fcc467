# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where each service's image comes from: a registry, an archive, or a build. Decisions, and what they ask Docker."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from .imagebuild import engine_version

if TYPE_CHECKING:
    from docker import DockerClient

SOURCES = ("registry", "archive", "build")
LABEL_ENGINE = "io.ready.engine_version"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass
class Choice:
    """What serves one service's image, or why nothing does."""

    service: str
    source: str | None = None
    ref: str | None = None  #: what to pull, load or build; a registry's is repository@digest
    digest: str | None = None
    lock: dict[str, str] | None = None  #: a new entry for the lock file
    faults: list[str] = field(default_factory=list)  #: stop the run, whatever else would serve
    reasons: list[str] = field(default_factory=list)  #: why an earlier source does not serve


def mirrored(repository: str, mirror: str) -> str:
    """Return the repository at a mirror: docker.io/library/redis at 127.0.0.1:5055 is 127.0.0.1:5055/library/redis."""
    if not mirror:
        return repository
    host, _, path = repository.partition("/")
    return f"{mirror}/{path if '.' in host or ':' in host or host == 'localhost' else repository}"


def lock_fault(service: str, image: Mapping[str, Any], entry: Mapping[str, Any] | None) -> str | None:
    """Return what is wrong with a service's lock entry, if anything."""
    if entry is None:
        return None
    for key in ("repository", "tag"):
        if entry.get(key) != image[key]:
            return (
                f"{service}: the image lock is for {key} {entry.get(key)}, the inventory asks for {image[key]}. "
                "Next: ./ready images lock, and review the change"
            )
    if not _DIGEST.fullmatch(str(entry.get("digest", ""))):
        return (
            f"{service}: the image lock's digest is {entry.get('digest')!r}, expected sha256: and 64 hex digits. "
            "Next: restore the lock file, or ./ready images lock"
        )
    return None


def choose(
    service: str,
    image: Mapping[str, Any],
    wanted: str,
    *,
    mirror: str,
    lock: Mapping[str, Any] | None,
    archive: Mapping[str, Any] | None,
    archive_reason: str,
    resolve: Callable[[str], str],
    is_present: Callable[[str], bool],
) -> Choice:
    """Choose the source of one image.

    Args:
        service: its name.
        image: the definition's `image`.
        wanted: auto, or the one source that is asked for or that the data are bound to.
        mirror: a registry to ask instead of the repository's own, or "".
        lock: the service's entry in the lock file.
        archive: the service's entry in the archives' manifest.
        archive_reason: why there is none.
        resolve: asks a registry for the digest of a reference; raises LookupError with the reason.
        is_present: whether Docker has an image of that reference already; no network.
    """
    choice = Choice(service)
    if image.get("override"):
        choice.source, choice.ref = "registry", image["override"]
        if not is_present(choice.ref):
            try:
                choice.digest = resolve(choice.ref)
            except LookupError as error:
                choice.faults.append(f"{service}: {image['override']} (as {service}_image says): {error}")
        return choice
    for source in SOURCES if wanted == "auto" else (wanted,):
        if source == "registry":
            repository = mirrored(image["repository"], mirror)
            if fault := lock_fault(service, image, lock):
                choice.faults.append(fault)
                return choice
            try:
                if lock:
                    digest = str(lock["digest"])
                    if not is_present(f"{repository}@{digest}"):
                        digest = resolve(f"{repository}@{digest}")
                        if digest != lock["digest"]:
                            choice.faults.append(
                                f"{service}: the registry serves {digest}, the lock says {lock['digest']}. Nothing was "
                                "pulled. Next: find out who changed it; ./ready images lock accepts it"
                            )
                            return choice
                else:
                    digest = resolve(f"{repository}:{image['tag']}")
                    choice.lock = {"repository": image["repository"], "tag": str(image["tag"]), "digest": digest}
            except LookupError as error:
                if lock and wanted == "registry":
                    choice.faults.append(
                        f"{service}: {repository}@{lock['digest']}, as the lock says, can't be had: {error}. "
                        "Next: check the registry and the lock; ./ready images lock renews it"
                    )
                    return choice
                choice.reasons.append(f"registry: {repository}: {error}")
                continue
            choice.source, choice.ref, choice.digest = "registry", f"{repository}@{digest}", digest
            return choice
        if source == "archive":
            if archive:
                choice.source, choice.ref = "archive", str(archive["ref"])
                return choice
            choice.reasons.append(f"archive: {archive_reason}")
        if source == "build":
            choice.source, choice.ref = "build", None
            return choice
    choice.faults.append(
        f"{service}: no image source works. {'; '.join(choice.reasons)}. Next: make one of them work, or allow "
        "another with image_source"
    )
    return choice


def registry_reason(error: Exception) -> str:
    """Return the telling end of what Docker says about a registry, on one line."""
    text = re.sub(r"\s+", " ", str(getattr(error, "explanation", None) or error)).strip()
    return text if len(text) <= 200 else "…" + text[-200:]


def choose_all(
    client: DockerClient,
    images: Mapping[str, Mapping[str, Any]],
    wanted: Mapping[str, str],
    mirror: str,
    lock: Mapping[str, Any],
    archives: Mapping[str, Any],
    archive_reason: str,
    auth: Mapping[str, str] | None,
) -> dict[str, dict[str, Any]]:
    """Choose for every service; a registry that did not answer once is not asked again."""
    from docker.errors import APIError, DockerException, ImageNotFound  # connect() has checked for it

    silent: dict[str, str] = {}

    def resolve(ref: str) -> str:
        host = ref.partition("/")[0]
        if host in silent:
            raise LookupError(silent[host])
        try:
            data = client.images.get_registry_data(ref, auth_config=dict(auth) if auth else None)
        except (APIError, DockerException, OSError) as error:
            reason = registry_reason(error)
            if "manifest unknown" not in reason and "not found" not in reason:
                silent[host] = reason
            raise LookupError(reason) from error
        return str(data.attrs["Descriptor"]["digest"])

    def is_present(ref: str) -> bool:
        try:
            client.images.get(ref)
        except ImageNotFound:
            return False
        return True

    return {
        name: asdict(
            choose(
                name,
                image,
                wanted[name],
                mirror=mirror,
                lock=lock.get(name),
                archive=archives.get(name),
                archive_reason=archive_reason,
                resolve=resolve,
                is_present=is_present,
            )
        )
        for name, image in images.items()
    }


def image_facts(client: DockerClient, ref: str, version_command: Sequence[str], version: str) -> dict[str, str]:
    """Return id and engine version of an image.

    The version is our label's, else what `version_command` prints, else `version`, the definition's release line.
    """
    image = client.images.get(ref)
    label = (image.labels or {}).get(LABEL_ENGINE)
    if label:
        version = label
    elif version_command:
        output = client.containers.run(
            str(image.id),
            list(version_command[1:]),
            entrypoint=[version_command[0]],
            remove=True,
            network_disabled=True,
        )
        version = engine_version(output.decode(errors="replace"))
    return {"id": str(image.id), "engine_version": version}
