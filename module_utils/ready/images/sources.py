# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Decide where each service's image comes from: a registry, an archive, or a build."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from ..stack.image_names import mirrored_repository, published_name
from .manifest import DIGEST
from .registries import NotServedError, UnaskedError, questions, registry_not_asked

if TYPE_CHECKING:
    from docker import DockerClient

SOURCES = ("registry", "archive", "build")
LABEL_ENGINE = "io.ready.engine_version"


class Name(NamedTuple):
    """What a registry may have an image as, and which of the definition's data formats that one makes."""

    repository: str
    tag: str
    made: str  #: a key of `data_format`: registry is upstream's, build is one of Ready's recipes


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
    unserved: bool = False  #: no registry could have it, or each that was asked answered that it does not
    unasked: bool = False  #: a registry that may have it was not asked: Docker is not there
    without: str = ""  #: the setting with which the stack does without the image


def registry_names(image: Mapping[str, Any], own: str, mirror: str, held: str | None = None) -> list[Name]:
    """Return what to ask a registry for, best first: upstream's image, then Ready's, which only a site's mirror has.

    Args:
        image: the definition's `image`; without a `repository` it has no upstream.
        own: what a build here calls the image, or "".
        mirror: the site's registry, or "".
        held: the data format of the service's volume; names that make another one come into question only where none
            makes this one.
    """
    names = [Name(image["repository"], str(image["tag"]), "registry")] if image.get("repository") else []
    if own and mirror:
        names.append(Name(*published_name(own), "build"))
    return [name for name in names if image["data_format"][name.made] == held] or names


def _nothing_works(service: str, reasons: Iterable[str], without: str) -> str:
    others = f", or set {without}" if without else ""
    return (
        f"{service}: no image source works. {'; '.join(reasons)}. Next: make one of them work, or allow another with "
        f"image_source{others}"
    )


def lock_fault(service: str, names: Sequence[Name], entry: Mapping[str, Any] | None) -> str | None:
    """Return what is wrong with a service's lock entry, if anything."""
    if entry is None:
        return None
    of_repository = [name for name in names if name.repository == entry.get("repository")]
    for key, fits in (
        ("repository", of_repository),
        ("tag", [each for each in of_repository if each.tag == entry["tag"]]),
    ):
        if not fits:
            asked = " or ".join(getattr(name, key) for name in of_repository or names)
            return (
                f"{service}: the image lock is for {key} {entry.get(key)}, the inventory asks for {asked}. "
                "Next: ./ready images lock, and review the change"
            )
    if not DIGEST.fullmatch(str(entry.get("digest", ""))):
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
    held: str | None = None,
    **sources: Any,
) -> Choice:
    """Choose the source of one image, and refuse one that would meet data of another format.

    Args:
        service: its name.
        image: the definition's `image`.
        wanted: auto, or the one source that is asked for or that the data are bound to.
        held: the data format of the service's volume, if there is one.
        sources: what `first_that_works` needs beside.
    """
    choice = first_that_works(service, image, wanted, held=held, **sources)
    if choice.source and not choice.faults and held not in (None, "unknown", choice.data_format):
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
    held: str | None = None,
    own: str = "",
    without: str = "",
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
        held: the data format of the service's volume, if there is one.
        own: what a build here calls the image, or "".
        without: the setting with which the stack does without it, or "".
    """
    choice = Choice(service, without=without)
    formats = {key: str(value) for key, value in image["data_format"].items()}
    if image.get("override"):
        choice.source, choice.ref = "registry", image["override"]
        choice.data_format = formats.get("registry", formats["build"])
        if not is_present(choice.ref):
            try:
                choice.digest = resolve(choice.ref)
            except LookupError as error:
                asked = f"{image['override']} (as {service}_image says)"
                choice.faults.append(f"{service}: {asked}: {error}. Next: correct the name, or check the registry")
        return choice
    for source in SOURCES if wanted == "auto" else (wanted,):
        if source == "registry":
            names = registry_names(image, own, mirror, None if lock else held)
            if made := _ask_registry(choice, names, wanted, mirror, lock, resolve, is_present):
                choice.data_format = formats[made]
            if made or choice.faults:
                return choice
        if source == "archive":
            if archive and archive["data_format"] in formats.values():
                choice.source, choice.ref = "archive", str(archive["ref"])
                choice.data_format = str(archive["data_format"])
                return choice
            if archive:
                expected = " or ".join(sorted(set(formats.values())))
                archive_reason = f"{archive['file']} is for data of {archive['data_format']}, not {expected}"
            choice.reasons.append(f"archive: {archive_reason}")
        if source == "build":
            choice.source, choice.ref, choice.data_format = "build", None, formats["build"]
            return choice
    choice.faults.append(_nothing_works(service, choice.reasons, without))
    return choice


def _ask_registry(
    choice: Choice,
    names: Sequence[Name],
    wanted: str,
    mirror: str,
    lock: Mapping[str, Any] | None,
    resolve: Callable[[str], str],
    is_present: Callable[[str], bool],
) -> str:
    """Put into a choice what a registry serves, or why it does not; return `made` of what is served, else ""."""
    if not names:
        choice.unserved = True
        lacking = (
            f"there is no recipe images/{choice.service}" if mirror else "container_images_registry_mirror is not set"
        )
        choice.reasons.append(f"registry: no public registry holds it, and {lacking}")
        return ""
    if fault := lock_fault(choice.service, names, lock):
        choice.faults.append(fault)
        return ""
    errors: list[LookupError] = []
    for name in names:
        if lock and name.repository != lock["repository"]:
            continue
        repository = mirrored_repository(name.repository, mirror)
        try:
            if lock:
                digest = str(lock["digest"])
                if not is_present(f"{repository}@{digest}"):
                    digest = resolve(f"{repository}@{digest}")
                    if digest != lock["digest"]:
                        choice.faults.append(
                            f"{choice.service}: the registry serves {digest}, the lock says {lock['digest']}. Nothing "
                            "was pulled. Next: find out who changed it; ./ready images lock accepts it"
                        )
                        return ""
            else:
                digest = resolve(f"{repository}:{name.tag}")
                choice.lock = {"repository": name.repository, "tag": name.tag, "digest": digest}
        except LookupError as error:
            # A digest that the registry knows nothing of is a mismatch, which no other source makes good.
            if (
                lock
                and not isinstance(error, UnaskedError)
                and (wanted == "registry" or isinstance(error, NotServedError))
            ):
                choice.faults.append(
                    f"{choice.service}: {repository}@{lock['digest']}, as the lock says, can't be had: {error}. "
                    "Next: check the registry and the lock; ./ready images lock renews it"
                )
                return ""
            again = str(error) in map(str, errors) and not isinstance(error, NotServedError)
            errors.append(error)
            if again:  # of a registry that does not answer at all
                continue
            shown = repository if name.made == "registry" else f"{repository}:{name.tag}"
            choice.reasons.append(f"registry: {shown}: {error}")
            continue
        choice.source, choice.ref, choice.digest = "registry", f"{repository}@{digest}", digest
        return name.made
    choice.unserved = all(isinstance(error, NotServedError) for error in errors)
    choice.unasked = any(isinstance(error, UnaskedError) for error in errors)
    return ""


def choose_all(
    client: DockerClient | None,
    images: Mapping[str, Mapping[str, Any]],
    wanted: Mapping[str, str],
    mirror: str,
    lock: Mapping[str, Any],
    archives: Mapping[str, Any],
    archive_reason: str,
    auth: Mapping[str, str] | None,
    held: Mapping[str, str],
    recipes: Mapping[str, Mapping[str, Any]],
) -> dict[str, dict[str, Any]]:
    """Choose for every image; a registry that did not answer once is not asked again.

    Without a client, as where Docker is yet to be installed, nothing is known of registries.
    """
    resolve, is_present = questions(client, auth) if client else (registry_not_asked, lambda _: False)
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
                own=recipes.get(name, {}).get("ref", ""),
                without=image.get("without", ""),
                resolve=resolve,
                is_present=is_present,
            )
        )
        for name, image in images.items()
    }


def without_builds(
    choices: Mapping[str, Mapping[str, Any]], why: Mapping[str, Sequence[str]]
) -> dict[str, dict[str, Any]]:
    """Return choices of which no build serves that can't work; `why` is image -> the reasons."""
    changed = {}
    for name, choice in choices.items():
        changed[name] = dict(choice)
        if name in why:
            reasons = [*choice["reasons"], *(f"build: {reason}" for reason in why[name])]
            fault = _nothing_works(name, reasons, choice["without"])
            changed[name] |= {"source": None, "reasons": reasons, "faults": [*choice["faults"], fault]}
    return changed


def look(
    client: DockerClient | None, choices: Mapping[str, Mapping[str, Any]], recipes: Mapping[str, Mapping[str, Any]]
) -> list[dict[str, Any]]:
    """Return {item, image} of the base and of each service whose source is a build; what is to be built has no id.

    Args:
        client: a connected client, if Docker is there.
        choices: what `choose_all` returned.
        recipes: service or base -> {ref, recipe, rebuild} of its image; `rebuild` asks for a build though it is there.
    """
    from .build import built_image  # the filter that reads locks needs no Docker SDK
    from .recipe import BASE

    to_build = [name for name, choice in choices.items() if choice["source"] == "build"]
    looked = []
    for name in [BASE, *to_build] if to_build else []:
        image = {key: recipes[name][key] for key in ("ref", "recipe")} if name in recipes else {}
        found = built_image(client, **image) if client and image and not recipes[name]["rebuild"] else None
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
        from ..docker.state import run_once
        from .build import engine_version

        version = engine_version(run_once(client, str(image.id), version_command, {}))
    return {"id": str(image.id), "engine_version": version}
