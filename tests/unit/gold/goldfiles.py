"""A small project out of texts, as the gold standards' analyser sees it."""

from __future__ import annotations

from pathlib import PurePosixPath

from ready.gold.index import Index
from ready.gold.judge import judge
from ready.gold.model import Judged
from ready.gold.rules import RULES
from ready.gold.source import Source, parse
from ready.gold.summary import summarize


def read(files: dict[str, str]) -> dict[str, Source]:
    """Return path -> source; a directory is a package, `src` is none."""
    found = {}
    for path, text in files.items():
        parts = [part for part in PurePosixPath(path).with_suffix("").parts if part != "src"]
        package = parts[-1] == "__init__"
        source = parse(text.encode(), path, ".".join(parts[:-1] if package else parts), package)
        assert isinstance(source, Source), source
        found[path] = source
    return found


def judged(files: dict[str, str], *rules: str) -> dict[str, Judged]:
    """Return path -> what some rules, or all, say of each file of a project."""
    sources = read(files)
    index = Index(summarize(source) for source in sources.values())
    chosen = [rule for rule in RULES if not rules or rule.id in rules]
    return {path: judge(source, index, chosen) for path, source in sources.items()}


def found(files: dict[str, str], *rules: str) -> list[str]:
    """Return "path:line rule" of each finding."""
    return [f"{path}:{item.line} {item.rule}" for path, its in judged(files, *rules).items() for item in its.findings]
