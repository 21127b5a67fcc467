# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""A table of classes that imports each one when it is asked for: a driver takes up to two seconds of CPU."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TypeVar

V = TypeVar("V")


class Lazily(Mapping[str, V]):
    """Name -> what `load` returns for it. Looking at names loads nothing.

    Args:
        names: in their order.
        load: imports, and returns, what a name stands for.
    """

    def __init__(self, names: Sequence[str], load: Callable[[str], V]) -> None:
        self._names, self._load = tuple(names), load

    def __getitem__(self, name: str) -> V:
        if name not in self._names:
            raise KeyError(name)
        return self._load(name)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
