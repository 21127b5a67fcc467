# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Make the wheel of the package `ready`, for the probes and for applications. Runs on the controller."""

from __future__ import annotations

import hashlib
import io
import zipfile
from functools import cache
from pathlib import Path

from .. import __version__
from ..common.paths import PACKAGE

WHEEL = f"ready-{__version__}-py3-none-any.whl"
_INFO = f"ready-{__version__}.dist-info"
_METADATA = f"Metadata-Version: 2.1\nName: ready\nVersion: {__version__}\nRequires-Python: >=3.10\n"
_TAG = "Wheel-Version: 1.0\nGenerator: ready\nRoot-Is-Purelib: true\nTag: py3-none-any\n"


def _files(package: Path) -> dict[str, bytes]:
    sources = sorted(package.rglob("*.py"))
    return {f"ready/{path.relative_to(package).as_posix()}": path.read_bytes() for path in sources}


@cache
def fingerprint(package: Path = PACKAGE) -> str:
    """Return the hash of the package's sources: of names and contents, so that it depends on nothing else."""
    digest = hashlib.sha256()
    for name, content in {**_files(package), "METADATA": _METADATA.encode()}.items():
        digest.update(f"{name}\0{hashlib.sha256(content).hexdigest()}\n".encode())
    return digest.hexdigest()


def wheel(package: Path = PACKAGE) -> bytes:
    """Return the wheel; the same sources give the same bytes."""
    files = _files(package) | {f"{_INFO}/METADATA": _METADATA.encode(), f"{_INFO}/WHEEL": _TAG.encode()}
    record = "".join(f"{name},,\n" for name in [*files, f"{_INFO}/RECORD"])
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {**files, f"{_INFO}/RECORD": record.encode()}.items():
            entry = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            entry.external_attr, entry.compress_type = 0o644 << 16, zipfile.ZIP_DEFLATED
            archive.writestr(entry, content)
    return buffer.getvalue()
