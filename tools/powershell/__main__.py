# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Check PowerShell by rules that need none: `python -m tools.powershell [FILE …]`; without one, all of the project."""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "module_utils"))

from ready.windows.script_text import text_of  # noqa: E402

from tools.powershell.rules import check  # noqa: E402
from tools.powershell.tree import Script  # noqa: E402

_BLOCK = re.compile(r"^```powershell\n(.*?)^```$", re.MULTILINE | re.DOTALL)
#: A value with a line in the docs that stands for one of the user's.
_PLACEHOLDER = re.compile(r"<[A-Za-z][\w .-]*>")


def project_scripts() -> list[Path]:
    """Return every script of the project."""
    folders = (ROOT / "scripts" / "windows", ROOT / "tests" / "windows" / "pester")
    return [ROOT / "bootstrap.ps1", *(path for folder in folders for path in sorted(folder.glob("*.ps1")))]


def script_of(path: Path) -> Script:
    """Return a file as the rules read it."""
    return Script(path.stem, text_of(path).encode())


def inline() -> Iterator[tuple[str, Script]]:
    """Yield the blocks of PowerShell in the docs, with the page and the line that each begins behind."""
    for page in sorted((ROOT / "docs").rglob("*.md")):
        text = page.read_text(encoding="utf-8")
        for block in _BLOCK.finditer(text):
            where = f"{page.relative_to(ROOT)}:{text.count(chr(10), 0, block.start(1))}"
            yield where, Script(page.stem, _PLACEHOLDER.sub("value", block[1]).encode(), fragment=True)


def main(argv: Sequence[str] | None = None) -> int:
    """Print every finding; return 1 when there is one."""
    parser = argparse.ArgumentParser(prog="python -m tools.powershell", description=__doc__)
    parser.add_argument("files", nargs="*", type=Path, help="scripts; without one, all of the project's and its docs")
    files = parser.parse_args(argv).files
    scripts = [(str(path), script_of(path)) for path in files or project_scripts()]
    found = [(where, one) for where, script in scripts + ([] if files else list(inline())) for one in check(script)]
    for where, one in found:
        sys.stdout.write(f"{where}: line {one.line}: {one.rule}: {one.message}\n")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
