# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Build one of images/<name> on a host, from packages, with the classic builder of its Docker daemon.

Own, not community.docker.docker_image with source=build: the context is made *on the host* (its package settings are
in it and must not travel), the steps are shown while they run, and a failure names its step and cause.
"""

from __future__ import annotations

import glob
import io
import os
import re
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections import deque
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from ..docker.own_images import LABEL_IMAGE, LABEL_RECIPE
from ..docker.state import run_once
from .build_failures import AGAIN, KEPT, BuildError, daemon_gone, explain
from .build_settings import Host, Mirrors, host_files, wget_netrc, with_etc_environment
from .class_archive import FILE, SCRIPT, NoArchiveError, make_class_archive
from .recipe import BASE, build_context, image_reference, pack_recipe, recipe_hash, suite_of
from .record import record_images

try:
    from docker.errors import APIError, DockerException, ImageNotFound
    from requests.exceptions import RequestException
except ImportError:  # pragma: no cover - depends on the target; engine.connect says so
    APIError = DockerException = ImageNotFound = RequestException = OSError  # type: ignore[assignment,misc]

if TYPE_CHECKING:
    from docker import DockerClient

LABEL_SOURCE = "io.ready.source"
LABEL_ENGINE = "io.ready.engine_version"
LABEL_SERVICE = "io.ready.service"
LABEL_STAGE = "io.ready.stage"  # on what a build leaves behind until it has succeeded
BOOTSTRAP = "ready/bootstrap"
KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"
#: Seconds that one step may be silent.
BUILD_TIMEOUT = 1800
Notify = Callable[[str], None]
_STEP = re.compile(r"Step (\d+)/(\d+) : (.*)")


def engine_version(output: str) -> str:
    """Return the first version number that a --version command prints."""
    match = re.search(r"\d+(?:\.\d+)+", output)
    if not match:
        raise ValueError(f"found no version number in {output.strip()[:80]!r}")
    return match[0]


# ---------------------------------------------------------------- effects
def this_host() -> Host:
    """Return the machine this runs on."""

    def read(path: str) -> str | None:
        try:
            return Path(path).read_text(encoding="utf-8", errors="replace")
        except OSError:
            return None

    def apt_config() -> str:
        if not shutil.which("apt-config"):
            return ""
        return subprocess.run(["apt-config", "dump"], capture_output=True, text=True, check=False).stdout  # noqa: S607

    return Host(
        read=read,
        glob=lambda pattern: sorted(glob.glob(pattern)),
        environ=with_etc_environment(os.environ, read("/etc/environment")),
        home=str(Path.home()),
        apt_config=apt_config,
    )


def built_image(client: DockerClient, ref: str, recipe: str) -> dict[str, Any] | None:
    """Return {ref, id, recipe, engine_version, size} of the image of that name when it was made from that recipe."""
    try:
        attrs: dict[str, Any] = client.images.get(ref).attrs
    except ImageNotFound:
        return None
    labels = attrs["Config"].get("Labels") or {}
    if labels.get(LABEL_RECIPE) != recipe:
        return None
    return {
        "ref": ref,
        "id": attrs["Id"],
        "recipe": recipe,
        "engine_version": labels.get(LABEL_ENGINE),
        "size": attrs["Size"],
    }


class Builder:
    """Builds the images of one recipe set through one Docker client."""

    def __init__(self, client: DockerClient, files: Mapping[str, bytes], host: str, notify: Notify) -> None:
        self.client, self.files, self.host, self.notify = client, files, host, notify
        self.settings: dict[str, str] = {}
        self.mirrors = Mirrors()

    def find(self, ref: str, recipe: str) -> dict[str, Any] | None:
        """Return the image of that name when it was made from that very recipe."""
        return built_image(self.client, ref, recipe)

    def build(
        self, name: str, version: str, version_command: list[str] | None = None, refresh: bool = False
    ) -> dict[str, Any]:
        """Build an image, after its base where that is missing; return what `find` says of it. Raises BuildError."""
        started = time.monotonic()
        try:
            result = self._build(name, version, version_command, refresh)
        except (DockerException, RequestException) as error:
            raise self._daemon_error(name, "between two steps", error) from error
        self.notify(f"{name}: built in {time.monotonic() - started:.0f} s")
        return result

    def _build(self, name: str, version: str, version_command: list[str] | None, refresh: bool) -> dict[str, Any]:
        suite = suite_of(self.files, name)
        self.settings, self.mirrors = host_files(this_host(), suite)
        base_recipe = recipe_hash(self.files, BASE)
        base = image_reference(BASE, suite, base_recipe)
        if name == BASE or not self.find(base, base_recipe):
            self._build_base(base, base_recipe, suite, refresh)
        ref, recipe = base, base_recipe
        if name != BASE:
            recipe = recipe_hash(self.files, name)
            ref = image_reference(name, version, recipe)
            base_id = self.client.images.get(base).id
            image = self._run(name, {"BASE": str(base_id)}, refresh)
            engine = self._engine_version(name, image, version_command) if version_command else version
            with tempfile.TemporaryFile(dir="/var/tmp") as extra:  # some 200 MB, more than /tmp may have
                made = self._archive(name, image, extra)
                labels = {LABEL_ENGINE: engine, LABEL_SERVICE: name}
                self._label(name, image, ref, recipe, labels, extra if made else None)
            self._remove_stages(name)
        result = self.find(ref, recipe)
        if result is None:
            raise BuildError("image vanished", f"{self.host}: image {ref} vanished after its build. Next: {AGAIN}.")
        return result

    def _build_base(self, ref: str, recipe: str, suite: str, refresh: bool) -> None:
        bootstrap = f"{BOOTSTRAP}:{suite}-{recipe[:12]}"
        if refresh or not self._exists(bootstrap):
            self._debootstrap(bootstrap, suite)
        image = self._run(BASE, {"BOOTSTRAP": bootstrap}, refresh)
        self._label(BASE, image, ref, recipe, {})
        self._remove_stages(BASE)
        self.client.images.remove(bootstrap, noprune=False)

    def _exists(self, ref: str) -> bool:
        try:
            self.client.images.get(ref)
        except ImageNotFound:
            return False
        return True

    def _debootstrap(self, ref: str, suite: str) -> None:
        """Make a minimal Debian with the host's mirror and import it. Nothing secret is in debootstrap's argv."""
        step = "debootstrap"
        program = shutil.which("debootstrap", path=f"{os.environ.get('PATH', '')}:/usr/sbin")
        if not program or not Path(KEYRING).exists():
            missing = "debian-archive-keyring" if program else "debootstrap"
            raise BuildError(
                "tool missing", f"{self.host}: {missing} is not installed, needed to build images. Next: install it."
            )
        self.notify(f"{BASE}: debootstrap {suite}")
        # /var/tmp: /tmp may be mounted noexec or nodev, where debootstrap can't work
        with tempfile.TemporaryDirectory(prefix="ready-", dir="/var/tmp", ignore_cleanup_errors=True) as work:
            root = Path(work, "root")
            self._private(Path(work, ".netrc"), wget_netrc(self.settings["auth.conf"]))
            self._private(Path(work, "ca.crt"), self.settings["ca.crt"])
            self._private(Path(work, "wgetrc"), f"ca_certificate = {work}/ca.crt\n" if self.settings["ca.crt"] else "")
            proxies = dict(
                line.partition("=")[::2] for line in self.settings["env"].replace("'", "").splitlines() if line
            )
            command = [program, "--variant=minbase", f"--keyring={KEYRING}", suite, str(root), *self.mirrors.main[:1]]
            tail: deque[str] = deque(maxlen=KEPT)
            with subprocess.Popen(  # noqa: S603
                command,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                env={**os.environ, **proxies, "HOME": work, "WGETRC": f"{work}/wgetrc", "LC_ALL": "C"},
            ) as process:
                for line in process.stdout or ():
                    tail.append(line.rstrip())
            if process.returncode:
                raise explain(self.host, BASE, step, tail)
            self.notify(f"{BASE}: importing")
            self._import(root, ref)

    @staticmethod
    def _private(path: Path, text: str) -> None:
        path.touch(mode=0o600)
        path.write_text(text, encoding="utf-8")

    def _import(self, root: Path, ref: str) -> None:
        command = ["tar", "-C", str(root), "--exclude=./dev/*", "--exclude=./var/cache/apt/archives/*.deb", "-c", "."]
        repository, _, tag = ref.partition(":")
        with subprocess.Popen(command, stdout=subprocess.PIPE) as process:  # noqa: S603
            try:
                self.client.api.import_image_from_stream(
                    process.stdout, repository=repository, tag=tag, changes=[f"LABEL {LABEL_STAGE}={BASE}"]
                )
            except (DockerException, RequestException) as error:
                process.kill()
                raise self._daemon_error(BASE, "importing", error) from error

    def _daemon_error(self, name: str, step: str, error: Exception) -> BuildError:
        if isinstance(error, APIError):
            return explain(self.host, name, step, [str(error.explanation or error)])
        return daemon_gone(self.host, name, step, error)

    def _run(self, name: str, buildargs: dict[str, str], refresh: bool) -> str:
        """Run the Containerfile of an image and return the image's id."""
        step, image = "step 0", ""
        tail: deque[str] = deque(maxlen=KEPT)
        try:
            for event in self.client.api.build(
                fileobj=io.BytesIO(build_context(self.files, name, self.settings)),
                custom_context=True,
                dockerfile="Containerfile",
                buildargs=buildargs,
                timeout=BUILD_TIMEOUT,
                network_mode="host",  # proxies and indexes on the host's loopback, and its name resolution
                rm=True,
                forcerm=True,
                nocache=refresh,
                decode=True,
            ):
                image = (event.get("aux") or {}).get("ID", image)
                if "error" in event:
                    raise explain(self.host, name, step, [*tail, event["error"]])
                for line in event.get("stream", "").splitlines():
                    if match := _STEP.match(line):
                        step = f"step {match[1]}/{match[2]}"
                        tail.clear()
                        self.notify(f"{name}: {step} {match[3][:60]}")
                    else:
                        tail.append(re.sub(r"\x1b\[[0-9;]*m", "", line))
        except (DockerException, RequestException, ValueError) as error:
            raise self._daemon_error(name, step, error) from error
        if not image:
            raise daemon_gone(self.host, name, step, "its answer ended early")
        return image

    def _engine_version(self, name: str, image: str, command: list[str]) -> str:
        """Ask the image itself, once, what it holds."""
        try:
            return engine_version(run_once(self.client, image, command, {LABEL_STAGE: name}))
        except ValueError as error:
            raise BuildError("no version", f"{self.host}: image {name}, {' '.join(command)}: {error}.") from error

    def _archive(self, name: str, image: str, into: IO[bytes]) -> bool:
        """Let the image make the archive of its classes, where its recipe has one. It is only quicker with it."""
        script = self.files.get(f"{name}/{SCRIPT}")
        if script is None:
            return False
        self.notify(f"{name}: one run without a network, for the archive of its classes")
        try:
            make_class_archive(self.client, image, script.decode(), {LABEL_STAGE: name}, into)
        except NoArchiveError as error:
            self.notify(f"{name}: made without the archive of its classes, so it starts more slowly: {error}")
            return False
        return True

    def _label(
        self, name: str, image: str, ref: str, recipe: str, extra: Mapping[str, str], archive: IO[bytes] | None = None
    ) -> None:
        """Give an image its name and labels, and the archive of its classes: a tar that holds FILE."""
        labels = {LABEL_IMAGE: name, LABEL_RECIPE: recipe, LABEL_SOURCE: "build", **extra}
        text = f"FROM {image}\n" + (f"COPY {FILE} ./\n" if archive else "")
        content = archive or io.BytesIO(pack_recipe({}))
        content.seek(0)
        with tarfile.open(fileobj=content, mode="a") as context:
            member = tarfile.TarInfo("Dockerfile")
            member.size = len(text)
            context.addfile(member, io.BytesIO(text.encode()))
        content.seek(0)
        try:
            for event in self.client.api.build(
                fileobj=content, custom_context=True, tag=ref, labels=labels, rm=True, decode=True
            ):
                if "error" in event:
                    raise explain(self.host, name, "labelling", [event["error"]])
            made = str(self.client.images.get(ref).id)
        except (DockerException, RequestException) as error:
            raise self._daemon_error(name, "labelling", error) from error
        try:
            record_images([made])
        except OSError as error:
            self.notify(f"{name}: {error}: when it has no name any more, prune does not know it as Ready's")

    def _remove_stages(self, name: str) -> None:
        """Remove what the build stages left behind: up to 1 GB each, and the host's package settings in them."""
        while True:
            left = self.client.images.list(filters={"dangling": True, "label": f"{LABEL_STAGE}={name}"})
            if not left:
                return
            try:
                self.client.images.remove(str(left[0].id), noprune=False)
            except (ImageNotFound, APIError):
                return  # in use by another build: the next one removes it
