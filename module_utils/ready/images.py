# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where each service's image comes from: a registry, an archive, or a build. Decisions, and what they ask Docker."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from docker import DockerClient

SOURCES = ("registry", "archive", "build")
LABEL_ENGINE = "io.ready.engine_version"
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
#: What the archives' manifest.json says of each image, and what that looks like.
_ARCHIVE = {
    "file": re.compile(r"\w[\w.-]*"),  # a name, no path: the manifest must not lead out of its directory
    "sha256": re.compile(r"[0-9a-f]{64}"),
    "ref": re.compile(r"[\w./:-]+:[\w.-]+"),
    "id": _DIGEST,
    "source": re.compile(r"\w+"),
    "data_format": re.compile(r"[\w.-]+"),
    "engine_version": re.compile(r"[\w.-]+"),
}


class NotServedError(LookupError):
    """A registry answered: it does not have what was asked for."""


@dataclass
class Choice:
    """What serves one service's image, or why nothing does."""

    service: str
    source: str | None = None
    ref: str | None = None  #: what to pull, load or build; a registry's is repository@digest
    digest: str | None = None
    data_format: str | None = None  #: of data that the image makes
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


def read_archives(directory: str, text: str | None) -> dict[str, Any]:
    """Return {images, reason} of a directory of archives; `text` is its manifest.json, if there is one.

    `reason` says why a service that is not in `images` has no archive.
    """
    if not directory:
        return {"images": {}, "reason": "container_images_archive_dir is not set"}
    path = f"{directory}/manifest.json"
    if text is None:
        return {"images": {}, "reason": f"{path} is missing"}
    images: Any
    try:
        images = json.loads(text)["images"]
        for name, entry in images.items():
            for key, pattern in _ARCHIVE.items():
                if not isinstance(entry.get(key), str) or not pattern.fullmatch(entry[key]):
                    raise ValueError(f"{name}: {key} is {entry.get(key)!r}")
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        return {"images": {}, "reason": f"{path} is not what ./ready images save writes ({error})"}
    return {"images": images, "reason": f"{path} does not list it"}


def merge_lock(
    held: Mapping[str, Any], new: Mapping[str, Mapping[str, str]], now: str, renew: bool
) -> dict[str, dict[str, str]]:
    """Return the lock with the new entries in it; what did not change keeps its date. Raises ValueError.

    Args:
        held: the lock as it is on disk, which other hosts of this run write to as well.
        new: the entries that this host adds.
        now: what to date them with.
        renew: whether entries may change, which is for `images lock` alone.
    """
    merged = {name: dict(entry) for name, entry in held.items()}
    for name, entry in new.items():
        old = held.get(name, {})
        if all(old.get(key) == value for key, value in entry.items()):
            continue
        if old and not renew:
            raise ValueError(
                f"{name}: the image lock says {old.get('digest')} since this run began, this host was served "
                f"{entry['digest']}. Next: ./ready images lock, and review the change"
            )
        merged[name] = {**entry, "locked_at": now}
    return merged


def archive_ref(name: str, image: Mapping[str, Any]) -> str:
    """Return a name that an image can have once it is loaded: neither a digest nor an id can be given to one."""
    ref = str(image["ref"])
    if "@" not in ref and ":" in ref and not _DIGEST.fullmatch(ref):
        return ref
    return f"ready/{name}:{image['engine_version']}-{str(image['id']).partition(':')[2][:12]}"


def choose(
    service: str,
    image: Mapping[str, Any],
    wanted: str,
    *,
    archive: Mapping[str, Any] | None,
    held: str | None = None,
    **sources: Any,
) -> Choice:
    """Choose the source of one image, and refuse one that would meet data of another format.

    Args:
        service: its name.
        image: the definition's `image`.
        wanted: auto, or the one source that is asked for or that the data are bound to.
        archive: the service's entry in the archives' manifest.
        held: the data format of the service's volume, if there is one.
        sources: what `first_that_works` needs beside.
    """
    choice = first_that_works(service, image, wanted, archive=archive, **sources)
    if choice.source and not choice.faults:
        from_archive = archive if choice.source == "archive" else None
        choice.data_format = str(from_archive["data_format"] if from_archive else image["data_format"][choice.source])
        if held not in (None, "unknown", choice.data_format):
            choice.faults.append(
                f"{service}: its data volume holds {held}, the image from {choice.source} wants {choice.data_format}. "
                "Nothing was changed. Next: have an image of that format, or dump the data with it and restore them "
                "into a new volume"
            )
    return choice


def first_that_works(
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
    """Return the first source that serves one image, or why none does.

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
                asked = f"{image['override']} (as {service}_image says)"
                choice.faults.append(f"{service}: {asked}: {error}. Next: correct the name, or check the registry")
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
                # A digest that the registry knows nothing of is a mismatch, which no other source makes good.
                if lock and (wanted == "registry" or isinstance(error, NotServedError)):
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
            formats = {str(value) for value in image["data_format"].values()}
            if archive and archive["data_format"] in formats:
                choice.source, choice.ref = "archive", str(archive["ref"])
                return choice
            if archive:
                archive_reason = (
                    f"{archive['file']} is for data of {archive['data_format']}, not {' or '.join(sorted(formats))}"
                )
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
    from .engine import reason  # which plugins of every run need not load

    text = reason(error)
    if match := re.search(r"Read timed out.*read timeout=(\d+)", text):
        return f"no answer within {match[1]} s"
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
    held: Mapping[str, str],
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
            if re.search(r"manifest unknown|name unknown|not found", reason):
                raise NotServedError(reason) from error
            if not re.search(r"denied|unauthorized|no basic auth", reason):  # of one image: the next may be served
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
                held=held.get(name),
                resolve=resolve,
                is_present=is_present,
            )
        )
        for name, image in images.items()
    }


def look(
    client: DockerClient, choices: Mapping[str, Mapping[str, Any]], recipes: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return {item, image} of the base and of each service whose source is a build; what is to be built has no id.

    Args:
        client: a connected client.
        choices: what `choose_all` returned.
        recipes: service or base -> {ref, recipe, rebuild} of its image; `rebuild` asks for a build though it is there.
    """
    from .imagebuild import built_image  # the filter that reads locks needs no Docker SDK
    from .imagerecipe import BASE

    to_build = [name for name, choice in choices.items() if choice["source"] == "build"]
    looked = []
    for name in [BASE, *to_build] if to_build else []:
        image = {key: recipes[name][key] for key in ("ref", "recipe")} if name in recipes else {}
        found = built_image(client, **image) if image and not recipes[name]["rebuild"] else None
        looked.append({"item": name, "image": found or image})
    return looked


def image_facts(client: DockerClient, ref: str, version_command: Sequence[str], version: str) -> dict[str, str]:
    """Return id and engine version of an image.

    The version is our label's, else what `version_command` prints, else `version`, the definition's release line.
    """
    image = client.images.get(ref)
    label = (image.labels or {}).get(LABEL_ENGINE)
    if label:
        version = label
    elif version_command:
        from .engine import run_once
        from .imagebuild import engine_version

        version = engine_version(run_once(client, str(image.id), version_command, {}))
    return {"id": str(image.id), "engine_version": version}
