# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Pack this package into the one file that timers start. On the controller; the same code gives the same bytes."""

from __future__ import annotations

import io
import zipfile

from ..common.paths import PACKAGE

_MAIN = "from ready.backups.timer import main\n\nraise SystemExit(main())\n"
_EPOCH = (1980, 1, 1, 0, 0, 0)


def runner() -> bytes:
    """Return a zip that Python runs (zipapp), of the package's source files."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(zipfile.ZipInfo("__main__.py", _EPOCH), _MAIN)
        for path in sorted(PACKAGE.rglob("*.py")):
            archive.writestr(zipfile.ZipInfo(f"ready/{path.relative_to(PACKAGE)}", _EPOCH), path.read_bytes())
    return buffer.getvalue()
