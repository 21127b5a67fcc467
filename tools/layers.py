# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Who may import whom: `python -m tools.layers` checks it, and docs/architecture.md has its map from here.

Layers are contracts of import-linter in pyproject.toml. It cannot see Ansible's modules, which import through
ansible.module_utils; from those, this file finds what Ansible sends to hosts: it may import nothing that hosts lack.
Modules that call themselves pure import nothing that reads or changes the world.
"""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterable
from functools import cache
from importlib.metadata import packages_distributions
from pathlib import Path

import grimp
import tomllib

ROOT = Path(__file__).resolve().parents[1]
MODULE_UTILS = ROOT / "module_utils"
sys.path.insert(0, str(MODULE_UTILS))

PACKAGE = "ready"
#: The packages that a host has for the probes, and for Ansible's modules the Docker SDK among them.
PROBES_LOCK = ROOT / "requirements-probes.txt"
#: What starts on a host without an Ansible module: the check without Ansible, applications, the timers' runner.
HOST_PROGRAMS = frozenset({"ready.probe", "ready.connector", "ready.backups.timer"})
#: Where code of the controller begins.
CONTROLLER_PROGRAMS = frozenset({"ready.cli.launcher", "ready.gold.__main__"})
PLUGINS = ("action", "become", "callback", "connection", "filter", "inventory")
#: What reads or changes the world. `os` and `pathlib` are not among them: paths are computed with both.
EFFECTS = frozenset({"docker", "http", "requests", "shutil", "socket", "subprocess", "tempfile", "urllib3"})
_PURE = re.compile(r"\bpure\b", re.IGNORECASE)


@cache
def host_libraries() -> frozenset[str]:
    """Return what hosts may import by name: what is locked for the probes, without what the controller alone asks for.

    Some of that comes along for the probes, such as YAML: modules that run by the host's own Python do not have it.
    """
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    lock = PROBES_LOCK.read_text(encoding="utf-8")
    locked = {_plain(name) for name in re.findall(r"^([\w.-]+)==", lock, re.MULTILINE)}
    controller, probes = (
        {_plain(re.match(r"[\w.-]+", its)[0]) for its in listed}  # type: ignore[index]
        for listed in (config["project"]["dependencies"], config["dependency-groups"]["probes"])
    )
    known = packages_distributions()
    return frozenset(
        name for name, its in known.items() if (locked - (controller - probes)) & {_plain(each) for each in its}
    )


def _plain(distribution: str) -> str:
    return re.sub("[-_.]+", "-", distribution).lower()


@cache
def graph() -> grimp.ImportGraph:
    """Return who imports whom, without what is imported for type checkers alone."""
    return grimp.build_graph(
        PACKAGE, include_external_packages=True, exclude_type_checking_imports=True, cache_dir=None
    )


def ours() -> list[str]:
    """Return the modules of the package, in order."""
    return sorted(name for name in graph().modules if name.partition(".")[0] == PACKAGE)


def path_of(module: str) -> Path:
    """Return the file of a module of the package."""
    path = MODULE_UTILS.joinpath(*module.split("."))
    return path / "__init__.py" if path.is_dir() else path.with_suffix(".py")


def docstring(module: str) -> str:
    """Return what a module says of itself, in one line."""
    return " ".join((ast.get_docstring(ast.parse(path_of(module).read_text(encoding="utf-8"))) or "").split())


def purpose(module: str) -> str:
    """Return the first sentence of what a module says of itself."""
    return re.split(r"(?<=[.!?]) (?=[A-Z])", docstring(module))[0]


def imported_by(files: Iterable[Path]) -> set[str]:
    """Return what files outside of the package import of it, by its own name or as Ansible names it for modules."""
    found = set()
    for path in files:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.ImportFrom) and node.module and not node.level:
                name = node.module.removeprefix("ansible.module_utils.")
                if name.partition(".")[0] == PACKAGE:
                    named = {f"{name}.{each.name}" for each in node.names}
                    found |= (named & graph().modules) or {name}
    return found


def closure(start: Iterable[str]) -> set[str]:
    """Return modules of the package with everything of it that they import, and the packages that they are in."""
    found: set[str] = set()
    left = list(start)
    while left:
        name = left.pop()
        if name in found or name.partition(".")[0] != PACKAGE:
            continue
        found.add(name)
        left += [*graph().find_modules_directly_imported_by(name), *([name.rpartition(".")[0]] if "." in name else [])]
    return found


def of_services() -> set[str]:
    """Return the modules that the registry names; it imports them when they are asked for."""
    return {name for name in ours() if name.startswith(f"{PACKAGE}.services.")}


@cache
def on_hosts() -> frozenset[str]:
    """Return the modules that Ansible sends to hosts, or that start there."""
    return frozenset(closure(HOST_PROGRAMS | imported_by((ROOT / "library").glob("*.py")) | of_services()))


@cache
def on_controller() -> frozenset[str]:
    """Return the modules that the launcher and Ansible's plugins use."""
    plugins = [path for kind in PLUGINS for path in (ROOT / f"{kind}_plugins").glob("*.py")]
    return frozenset(closure(CONTROLLER_PROGRAMS | imported_by(plugins)))


def faults_of_hosts() -> list[str]:
    """Return a line per import of something that hosts do not have, by a module that runs there."""
    fine = host_libraries() | sys.stdlib_module_names | {PACKAGE}
    return [
        f"{name} runs on hosts: found an import of {other}; expected the standard library, the Docker SDK and drivers. "
        "Next: move what hosts use of it into a module without that import, or lock it for the probes"
        for name in sorted(on_hosts())
        for other in sorted(graph().find_modules_directly_imported_by(name))
        if other.partition(".")[0] not in fine
    ]


def faults_of_pure() -> list[str]:
    """Return a line per module that calls itself pure and imports something with effects, directly or not."""
    lines = []
    for name in ours():
        if not _PURE.search(docstring(name)):
            continue
        for other in sorted(closure({name})):
            bad = {its.partition(".")[0] for its in graph().find_modules_directly_imported_by(other)} & EFFECTS
            if bad:
                within = name == other or name.startswith(f"{other}.")
                chain = " -> ".join((name,) if within else graph().find_shortest_chain(name, other) or (name, other))
                lines.append(f"{name} is pure: found {chain} -> {', '.join(sorted(bad))}; expected no effects")
    return lines


def unused() -> list[str]:
    """Return a line per module that neither hosts nor the controller use."""
    return [
        f"{name}: nothing imports it. Next: remove it" for name in ours() if name not in on_hosts() | on_controller()
    ]


def where(module: str) -> str:
    """Return where a module runs: host, controller or both."""
    return "both" if module in on_hosts() & on_controller() else "host" if module in on_hosts() else "controller"


def order() -> list[str]:
    """Return the packages from the highest layer down, as pyproject.toml has them; "" is for what is in none."""
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contract = next(each for each in config["tool"]["importlinter"]["contracts"] if each["type"] == "layers")
    names = [name.strip() for line in contract["layers"] for name in re.split("[:|]", line)]
    return ["", *(name for name in names if path_of(f"{PACKAGE}.{name}").name == "__init__.py")]


def packages() -> dict[str, list[str]]:
    """Return package -> its modules, those of packages within it too, from the highest layer down."""
    found: dict[str, list[str]] = {name: [] for name in order()}
    for name in ours():
        parts = name.split(".")
        if len(parts) > 1 and path_of(name).name != "__init__.py":
            found[parts[1] if len(parts) > 2 else ""].append(name)
    return found


def main() -> int:
    """Check imports; returns the exit code, 1 for what is wrong."""
    from importlinter.cli import lint_imports

    code = lint_imports(config_filename=str(ROOT / "pyproject.toml"), no_cache=True)
    faults = [*faults_of_hosts(), *faults_of_pure(), *unused()]
    print("\n".join(faults) or f"{len(on_hosts())} modules run on hosts, and import nothing that hosts lack.")
    return 1 if code or faults else 0


if __name__ == "__main__":
    sys.exit(main())
