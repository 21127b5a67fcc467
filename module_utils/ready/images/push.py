# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Push a stack's images to the site's registry; what is there is not replaced."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from .registries import NotServedError, questions, registry_reason

if TYPE_CHECKING:
    from docker import DockerClient

#: Seconds that a push may be silent: a registry that stores elsewhere takes its time for a big layer.
PUSH_TIMEOUT = 600
Auth = Mapping[str, str] | None


class PushError(Exception):
    """What kept an image from the registry; the message has what was found and the next step."""


def look_at_registry(
    client: DockerClient, images: Mapping[str, Mapping[str, str]], auth: Auth
) -> dict[str, dict[str, str]]:
    """Return name -> {found, digest} of what the registry has under the names that images are to get.

    `found` is the id of that image, "" where there is none; what must be pulled to know it does not stay.

    Args:
        client: a connected client.
        images: name -> {id, repository, tag}; the repository has the registry's address.
        auth: username and password at the registry, if it asks for them.

    Raises:
        PushError: the registry does not say.
    """
    resolve, _ = questions(client, auth)
    found = {}
    for name, image in images.items():
        try:
            digest = resolve(f"{image['repository']}:{image['tag']}")
        except NotServedError:
            found[name] = {"found": "", "digest": ""}
            continue
        except LookupError as error:
            raise PushError(_failed(name, image, str(error))) from error
        found[name] = {"found": _identity(client, name, image, digest, auth), "digest": digest}
    return found


def push_image(client: DockerClient, name: str, image: Mapping[str, str], auth: Auth) -> str:
    """Push one image, and return the digest that the registry serves it by; its names here stay as they were.

    Raises:
        PushError: the registry does not take it, or serves something else afterwards.
    """
    from docker.errors import DockerException, ImageNotFound
    from requests.exceptions import RequestException

    repository, tag, identity = image["repository"], image["tag"], image["id"]
    target = f"{repository}:{tag}"
    try:
        before = str(client.images.get(target).id)
    except ImageNotFound:
        before = ""
    names = client.images.get(identity).attrs.get("RepoDigests") or []
    if any(each.startswith(f"{repository}@") for each in names):
        before = identity  # Docker takes these names with the repository's last tag, and a container may need them
    digest = ""
    try:
        client.images.get(identity).tag(repository, tag)
        for event in client.api.push(repository, tag=tag, auth_config=_given(auth), stream=True, decode=True):
            if "error" in event:
                raise PushError(_failed(name, image, " ".join(str(event["error"]).split())))
            digest = event.get("aux", {}).get("Digest", digest)
        served = questions(client, auth)[0](target)
    except (DockerException, RequestException, OSError, LookupError) as error:
        raise PushError(_failed(name, image, registry_reason(error))) from error
    finally:
        _name_back(client, target, before)
    if served != digest:
        raise PushError(_failed(name, image, f"it serves {served} after a push of {digest}"))
    return digest


def push_refusals(images: Mapping[str, Mapping[str, str]], found: Mapping[str, Mapping[str, str]]) -> list[str]:
    """Return a message per image whose name at the registry is another image's."""
    return [
        f"{name}: {image['repository']}:{image['tag']}: found {found[name]['found'][:19]} there, expected "
        f"{image['id'][:19]}, which this host runs, or nothing. Nothing was pushed. Next: --force replaces it; or take "
        "it here: image_source registry, then ./ready up --rebuild"
        for name, image in images.items()
        if found[name]["found"] not in ("", image["id"])
    ]


def _identity(client: DockerClient, name: str, image: Mapping[str, str], digest: str, auth: Auth) -> str:
    """Return the id of the image that the registry serves by a digest, which Docker alone can compare with its own."""
    from docker.errors import APIError, DockerException, ImageNotFound
    from requests.exceptions import RequestException

    ref = f"{image['repository']}@{digest}"
    try:
        return str(client.images.get(ref).id)
    except ImageNotFound:
        pass
    try:
        there = str(client.images.pull(image["repository"], tag=digest, auth_config=_given(auth)).id)
    except (DockerException, RequestException, OSError) as error:
        raise PushError(_failed(name, image, registry_reason(error))) from error
    with contextlib.suppress(APIError):  # a container's only name for it
        client.images.remove(ref)
    return there


def _name_back(client: DockerClient, target: str, before: str) -> None:
    """Give a name back to the image that had it, or to none."""
    from docker.errors import APIError

    with contextlib.suppress(APIError):
        if before:
            client.api.tag(before, target)
        else:
            client.images.remove(target)


def _given(auth: Auth) -> dict[str, Any] | None:
    return dict(auth) if auth else None


def _failed(name: str, image: Mapping[str, str], why: str) -> str:
    login = "it wants a login that may push: container_images_registry_username and _password"
    refused = any(word in why for word in ("denied", "unauthorized", "no basic auth", "authentication required"))
    after = login if refused else "check the registry at container_images_registry_mirror"
    return (
        f"{name}: {image['repository']}:{image['tag']}: found {why}, expected a registry that takes it. Next: {after}"
    )
