# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Findings to be judged by hand: `.venv/bin/python bench/gold_sample.py --seed 1 --count 60 DIRECTORY ...`.

Each directory is a project by itself, or, with --packages, a package beside others that are known as well: then all
of them are read. The rules take turns, so that a rule with few findings is judged as well as one with many; which
findings of a rule are drawn, the seed decides.
"""

from __future__ import annotations

import argparse
import random
import sys
from collections import defaultdict
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "module_utils")]

from ready.gold.engine import analyse  # noqa: E402
from ready.gold.model import Finding  # noqa: E402


def findings(directories: list[Path], packages: bool) -> dict[str, list[tuple[Path, Finding]]]:
    """Return rule -> directory and finding of all that the rules find."""
    found: dict[str, list[tuple[Path, Finding]]] = defaultdict(list)
    for directory in directories:
        root = directory.parent if packages else directory
        result = analyse([directory], root)
        for judged in result.judged:
            for item in judged.findings:
                found[item.base].append((root, item))
    return found


def drawn(found: dict[str, list[tuple[Path, Finding]]], seed: int, count: int) -> list[tuple[Path, Finding]]:
    """Return a sample, the rules in turn."""
    chance = random.Random(seed)  # noqa: S311
    rules = sorted(found)
    for rule in rules:
        chance.shuffle(found[rule])
    chance.shuffle(rules)
    places = max(map(len, found.values()), default=0)
    turns = [found[rule][place] for place in range(places) for rule in rules if place < len(found[rule])]
    return sorted(turns[:count], key=lambda item: (item[1].rule, item[1].path, item[1].line))


def main() -> None:
    """Print the sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=60)
    parser.add_argument("--packages", action="store_true")
    parser.add_argument("directories", nargs="+", type=Path)
    given = parser.parse_args()
    found = findings([path.resolve() for path in given.directories], given.packages)
    print("  ".join(f"{rule} {len(items)}" for rule, items in sorted(found.items())))
    for root, item in drawn(found, given.seed, given.count):
        lines = (root / item.path).read_text(encoding="utf-8", errors="replace").splitlines()
        print(f"{item.path}:{item.line} {item.rule}: {item.found}")
        print("\n".join(f"    {line}" for line in lines[max(item.line - 3, 0) : item.line + 2]))


if __name__ == "__main__":
    main()
