# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Ask registries about images through Docker, which has their certificates and proxies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from ..secrets.redaction import register_secrets

if TYPE_CHECKING:
    from docker import DockerClient


class NotServedError(LookupError):
    """A registry answered: it does not have what was asked for."""


class UnaskedError(LookupError):
    """Nothing is known of the registry, since Docker is not there to ask it."""


def credentials(options: Mapping[str, Any]) -> dict[str, str] | None:
    """Return a module's options `username` and `password` as Docker takes them, None without a name.

    The password is kept out of everything that the module says.
    """
    register_secrets([options["password"]])
    return {key: options[key] for key in ("username", "password")} if options["username"] else None


def registry_reason(error: Exception) -> str:
    """Return the telling end of what Docker says about a registry, on one line."""
    from ..docker.state import reason  # which plugins of every run need not load

    text = reason(error)
    if match := re.search(r"Read timed out.*read timeout=(\d+)", text):
        return f"no answer within {match[1]} s"
    return text if len(text) <= 200 else "…" + text[-200:]


def registry_not_asked(_: str) -> str:
    """Stand in for `resolve` where there is no Docker. Raises UnaskedError."""
    raise UnaskedError("not asked, since Docker is not there yet")


def questions(
    client: DockerClient, auth: Mapping[str, str] | None
) -> tuple[Callable[[str], str], Callable[[str], bool]]:
    """Return what resolves a reference to the registry's digest, and what says whether Docker has one already.

    The first raises LookupError with the reason; of a registry that did not answer once it is raised without asking.
    """
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

    return resolve, is_present
