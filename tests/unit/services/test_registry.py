"""The registry of services: whole, right, and sent along by Ansible."""

from __future__ import annotations

from pathlib import Path

import pytest
import yaml
from ansible.executor.module_common import ModuleDepFinder
from ready import registry
from ready.cli import init
from ready.connections.registered import CONNECTIONS
from ready.connector import ServiceConnector
from ready.registry import ALWAYS, MODULES, NAMES, SERVICES, THINGS, Service, load, table
from ready.stack.argument_specs import role_specs
from ready.stack.definitions import load_definitions
from ready.stack.resolved import data_volumes

from tests.stack import data_of
from tools.ports import named_ports, port_variables

#: What is asked for by `table`.
PARTS = ("connection", "probe", "security_probe", "workload", "dump", "load", "fingerprint", "template_values")


def test_every_definition_has_an_entry() -> None:
    """And the other way round; what keeps data is dumped and loaded, and its things have a name."""
    definitions = load_definitions()
    assert sorted(NAMES) == sorted(definitions)
    keeping = {name for name, definition in definitions.items() if data_volumes(definition)}
    assert set(table("dump")) == set(table("load")) == set(THINGS) == keeping


@pytest.mark.parametrize("service", SERVICES, ids=NAMES)
def test_every_part_is_there(service: Service) -> None:
    """A slip in a name would be met on a host; a module that no entry names would never be used."""
    for part in PARTS:
        assert not service.has(part) or callable(load(service.name, part)), part
    directory = Path(registry.__file__).parent / "services" / service.name
    known = {MODULES.get(part, part) for part in PARTS}
    assert {path.stem for path in directory.glob("*.py")} & known == {*ALWAYS, *service.more}


def test_a_part_without_its_class(monkeypatch: pytest.MonkeyPatch) -> None:
    """The message says which name was expected."""
    monkeypatch.setitem(MODULES, "paint", "probe")
    with pytest.raises(LookupError, match="found no paint of redis, expected one named"):
        load("redis", "paint")


def sent_with(start: Path) -> set[Path]:
    """Return the files that Ansible sends with a module that imports this one, by its own finder."""
    root = Path(registry.__file__).parents[1]
    found: set[Path] = set()
    new = {start}
    while new:
        file = new.pop()
        found.add(file)
        name = ".".join(("ansible.module_utils", *file.relative_to(root).with_suffix("").parts)).removesuffix(
            ".__init__"
        )
        finder = ModuleDepFinder(name, file.read_bytes(), is_pkg_init=file.name == "__init__.py")
        for parts in finder.submodules:
            path = root.joinpath(*parts[2:])
            files = (path / "__init__.py", path.with_suffix(".py"), path.parent.with_suffix(".py"))
            new |= {its for its in files if its.exists()} - found
    return found


def test_ansible_sends_every_part() -> None:
    """It packs what import statements name; a module that an entry alone names would be missing on the host."""
    file = Path(registry.__file__)
    sent = {its.relative_to(file.parent).as_posix() for its in sent_with(file)}
    parts = {f"services/{its.name}/{part}.py" for its in SERVICES for part in (*ALWAYS, *its.more)}
    assert parts - sent == set()


@pytest.mark.parametrize("name", NAMES)
def test_a_connection_names_a_port_of_the_service(name: str) -> None:
    """Messages give its address; and its variables differ from those of others."""
    assert CONNECTIONS[name].port in {port["name"] for port in load_definitions()[name]["ports"]}
    assert [its.title for its in CONNECTIONS.values()].count(CONNECTIONS[name].title) == 1


def test_the_connector_has_a_method_per_service() -> None:
    """By their names, also for whoever looks at what it has; there is none for what only stands before another."""
    with ServiceConnector.from_settings({"REDIS_URL": "redis://a:b@127.0.0.1:1/0"}) as services:
        wanted = {name for name in NAMES if not CONNECTIONS[name].stands_before}
        assert wanted == set(NAMES) & set(dir(services))
        assert all(callable(getattr(services, name)) for name in wanted)
        with pytest.raises(AttributeError, match="its services are postgresql, neo4j, chromadb, redis, ai"):
            services.gateway()


def test_a_new_inventory_names_the_services_that_are_there_by_default(tmp_path: Path) -> None:
    """As a comment that somebody may put to use."""
    assert init.main([str(tmp_path / "new")]) == 0
    text = (tmp_path / "new" / "inventory" / "group_vars" / "all" / "ready.yml").read_text()
    usual = role_specs()["stack"]["main"]["options"]["ready_services"]["default"]
    assert yaml.safe_load(text.replace("# ready_services", "ready_services"))["ready_services"] == usual


@pytest.mark.parametrize("name", NAMES)
def test_tests_know_how_to_write_and_read(name: str) -> None:
    """As molecule/<name>/data.py says; every other test goes by it."""
    assert {"write", "check"} <= set(vars(data_of(name)))


def test_ports_of_tests_follow_from_the_definitions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each has its own variable in the environment, and goes by it."""
    variables = port_variables()
    assert set(variables) == {
        f"{name}_{port['variable']}" for name, its in load_definitions().items() for port in its["ports"]
    }
    assert len({variable for variable, _ in variables.values()}) == len(variables)
    assert variables["neo4j_bolt_port"] == ("READY_PORT_NEO4J_BOLT", 37687)
    monkeypatch.setenv("READY_PORT_REDIS", "12345")
    assert named_ports()["redis_port"] == 12345


def test_preflight_scenario_names_every_port() -> None:
    """Of the services that are there by default: one on its default port is refused where the default stack runs."""
    scenario = Path(__file__).resolve().parents[3] / "molecule" / "preflight" / "molecule.yml"
    variables = yaml.safe_load(scenario.read_text())["provisioner"]["inventory"]["hosts"]["all"]["vars"]
    named = {name: f"${{{variable}:-{port}}}" for name, (variable, port) in port_variables().items()}
    usual = role_specs()["stack"]["main"]["options"]["ready_services"]["default"]
    wanted = {name: value for name, value in named.items() if name.partition("_")[0] in usual}
    assert {name: value for name, value in variables.items() if name.endswith("_port")} == wanted
