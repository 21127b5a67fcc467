# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""All modules of a project together: where a name comes from through re-exports, and what a class inherits from."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

from .sdk import ANCESTORS, canonical

_FAR = 30  # re-exports in a row; more is a circle


@dataclass(slots=True)
class Class:
    """A class of the project: dotted names of its bases and decorators, as far as its own module knows them."""

    bases: tuple[str, ...]
    decorators: tuple[str, ...]
    members: frozenset[str]
    line: int
    #: Those of the members that are methods.
    methods: frozenset[str] = frozenset()
    #: What its get_parameters() declares, None where that isn't known; "" is what its base class declares.
    parameters: tuple[str, ...] | None = None


@dataclass(slots=True)
class Fixture:
    """A pytest fixture.

    Attributes:
        imitates: what it imitates services with, "" where it does not.
        requests: the fixtures that it asks for.
        function: the name of its function, which imports go by; its own may differ.
        calls: what of the project it calls, or hands over: a helper may return a mock.
    """

    imitates: str
    requests: tuple[str, ...]
    autouse: bool
    line: int
    function: str = ""
    calls: tuple[str, ...] = ()


@dataclass(slots=True)
class Summary:
    """What other modules may learn of a module; made of one file alone, so that it can be cached.

    Attributes:
        names: name at the top of the module -> dotted name that it stands for.
        stars: modules whose names it passes on by `import *`.
        classes: name within the module -> class.
        origins: name within the module -> what a variable holds, or a function returns, as `Context.origin` says it.
        others: names at the top of the module that hold something else.
        constants: names whose value is a condition on the platform -> whether it is true on Windows.
        fixtures: name by which tests ask for it -> fixture; one of a class as `Class.name`.
        plugins: modules that `pytest_plugins` names.
        imitators: function that helps tests -> the kind of what it imitates services with, and its name.
    """

    path: str
    module: str
    package: bool
    names: dict[str, str] = field(default_factory=dict)
    stars: tuple[str, ...] = ()
    classes: dict[str, Class] = field(default_factory=dict)
    origins: dict[str, str] = field(default_factory=dict)
    constants: dict[str, bool] = field(default_factory=dict)
    others: tuple[str, ...] = ()
    fixtures: dict[str, Fixture] = field(default_factory=dict)
    plugins: tuple[str, ...] = ()
    imitators: dict[str, str] = field(default_factory=dict)


class Index:
    """The modules of a project, by dotted name and by path."""

    def __init__(self, summaries: Iterable[Summary]) -> None:
        self.by_path: dict[str, Summary] = {}
        self.modules: dict[str, Summary] = {}
        for item in summaries:
            self.by_path[item.path] = item
            if item.module:
                self.modules.setdefault(item.module, item)
        # From the project's own directory a directory without __init__.py is a package too: tests.tools.
        for item in list(self.by_path.values()):
            parts = item.path.removesuffix(".py").split("/")
            self.modules.setdefault(".".join(parts[:-1] if item.package else parts), item)
        self._resolved: dict[str, str] = {}
        self._bases: frozenset[str] | None = None
        self._plugins: dict[str, str] | None = None
        self._fixtures: dict[str, Mapping[str, tuple[Fixture, str]]] = {}

    def split(self, dotted: str) -> tuple[Summary, str] | None:
        """Return the project's module that a dotted name begins with, the longest there is, and the rest."""
        head = dotted
        while head:
            if found := self.modules.get(head):
                return found, dotted[len(head) + 1 :]
            head = head.rpartition(".")[0]
        return None

    def resolve(self, dotted: str) -> str:
        """Return the dotted name under which a thing is defined; SDK names as their own modules have them."""
        found = self._resolved.get(dotted)
        if found is None:
            found = self._resolved[dotted] = canonical(self._follow(dotted))
        return found

    def _follow(self, dotted: str) -> str:
        seen: set[str] = set()
        while dotted not in seen and len(seen) < _FAR:
            seen.add(dotted)
            split = self.split(dotted)
            if not split or not split[1]:
                return dotted
            module, rest = split
            name, _, more = rest.partition(".")
            if name in module.names:
                target = module.names[name]
            elif star := self._star(module, name):
                target = star
            else:
                return dotted
            following = f"{target}.{more}" if more else target
            if following == dotted:
                return dotted
            dotted = following
        return dotted

    def _star(self, module: Summary, name: str) -> str:
        """Return what a name is that a module has by `import *` from modules of the project."""
        for other in module.stars:
            summary = self.modules.get(other)
            if summary and (name in summary.names or name in summary.classes or name in summary.origins):
                return f"{other}.{name}"
        return ""

    @property
    def bases(self) -> frozenset[str]:
        """Return the resolved names of all classes that a class of the project inherits from directly."""
        if self._bases is None:
            classes = (its for summary in self.by_path.values() for its in summary.classes.values())
            self._bases = frozenset(self.resolve(base) for its in classes for base in its.bases)
        return self._bases

    def prepared(self, module: str) -> str | None:
        """Return the directory, with its "/", of the file that names a plugin of pytest, None without one."""
        if self._plugins is None:
            self._plugins = {}
            for path, summary in self.by_path.items():
                for plugin in summary.plugins:
                    self._plugins.setdefault(plugin, path[: path.rfind("/") + 1])
        return self._plugins.get(module)

    def class_of(self, dotted: str) -> Class | None:
        """Return a class of the project by its resolved name."""
        split = self.split(dotted)
        return split[0].classes.get(split[1]) if split else None

    def ancestors(self, dotted: str) -> Iterator[str]:
        """Yield the resolved names of a class and of all that it inherits from, the SDK's own bases included."""
        waiting, seen = [dotted], set()
        while waiting:
            name = self.resolve(waiting.pop(0))
            if name in seen:
                continue
            seen.add(name)
            yield name
            if found := self.class_of(name):
                waiting.extend(found.bases)
            waiting.extend(ANCESTORS.get(name, ()))

    def parameters(self, dotted: str) -> set[str] | None:
        """Return the names of the parameters that a class of the project declares or inherits; None if not known."""
        found: set[str] = set()
        for name in self.ancestors(dotted):
            known = self.class_of(name)
            if known is None:
                return None  # what the SDK's classes declare isn't followed
            if "get_parameters" in known.members:
                if known.parameters is None:
                    return None
                found.update(known.parameters)
                if "" not in known.parameters:
                    return found - {""}
        return None

    def origin(self, dotted: str) -> str:
        """Return what a variable of the project's modules holds, or "" where that is not known."""
        split = self.split(self.resolve(dotted))
        return split[0].origins.get(split[1], "") if split else ""

    def constant(self, dotted: str) -> bool | None:
        """Return whether a condition on the platform, kept in a variable, is true on Windows; None for another."""
        split = self.split(self.resolve(dotted))
        return split[0].constants.get(split[1]) if split else None

    def fixtures(self, path: str) -> Mapping[str, tuple[Fixture, str]]:
        """Return name -> (fixture, its path) of what tests of a file may ask for: the nearest wins."""
        if (known := self._fixtures.get(path)) is not None:
            return known
        found: dict[str, tuple[Fixture, str]] = {}
        parts = path.split("/")[:-1]
        conftests = ["/".join([*parts[:depth], "conftest.py"]) for depth in range(len(parts) + 1)]
        for place in dict.fromkeys((*conftests, path)):
            if summary := self.by_path.get(place):
                found.update(self._offered(summary))
        self._fixtures[path] = found
        return found

    def _offered(self, summary: Summary, depth: int = 0) -> dict[str, tuple[Fixture, str]]:
        """Return the fixtures that a module has: its plugins', those that it imports, its own."""
        found: dict[str, tuple[Fixture, str]] = {}
        if depth > 3:
            return found
        for other in (*summary.plugins, *summary.stars):
            if module := self.modules.get(other):
                found.update(self._offered(module, depth + 1))
        for target in summary.names.values():
            split = self.split(self.resolve(target))
            if split and split[0] is not summary and split[1]:
                for name, fixture in split[0].fixtures.items():
                    if fixture.function == split[1]:
                        found[name] = (fixture, split[0].path)
        found.update({name: (fixture, summary.path) for name, fixture in summary.fixtures.items()})
        return found
