# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""No message advises losing data, and what it advises can help."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from ready.checks.not_in_inventory import kept_lines
from ready.cli.options import option_label
from ready.common.labels import LABEL_STACK
from ready.common.verbs import find
from ready.docker.apply import Making
from ready.docker.replace import Replacing
from ready.docker.spec import ContainerSpec
from ready.docker.start_failures import unhealthy_message
from ready.preflight import data as preflight_data
from ready.preflight import foreign
from ready.stack.argument_specs import verb_specs
from ready.stack.definitions import load_definitions
from ready.stack.sidecars import sidecar_definitions

from tests.unit.conftest import ROOT, resolved_stack

#: What removes data. `destroy again` is said to whoever has just confirmed it.
LOSES = re.compile(r"--volumes|docker volume rm|volume prune|\./ready destroy(?! again)|remove what is yours")
#: The copies that upgrades keep: named only to whoever no longer wants them.
PRUNE = re.compile(r"prune --kept")

#: What options that name services take.
VERBS = verb_specs()
WORD = "[a-z]+(?:-[a-z]+)*"
SERVICES = (*load_definitions(), *sidecar_definitions())


def texts(path: Path) -> Iterator[str]:
    """Yield what a file may print: strings of Python but its docstrings, the whole of a file of tasks."""
    if path.suffix == ".yml":
        yield path.read_text()
        return
    tree = ast.parse(path.read_text())
    docs = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef))
        and node.body
        and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            yield "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)
        elif isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in docs:
            yield node.value


def sources() -> list[Path]:
    """Return every file that makes messages."""
    python = [
        path
        for directory in ("module_utils", "library", "filter_plugins", "action_plugins", "callback_plugins")
        for path in (ROOT / directory).rglob("*.py")
    ]
    tasks = [
        path
        for directory in ("roles", "playbooks")
        for path in (ROOT / directory).rglob("*.yml")
        if not path.name.endswith(".meta.yml") and "meta" not in path.parts
    ]
    assert len(python) > 100
    assert len(tasks) > 50
    return python + tasks


def test_no_message_advises_losing_data() -> None:
    """Removing volumes is no way out of a fault; it is what `destroy` does when somebody wants it."""
    found = [
        (str(path.relative_to(ROOT)), text)
        for path in sources()
        for text in texts(path)
        if LOSES.search(text) or (PRUNE.search(text) and "wanted" not in text and path.suffix == ".py")
    ]
    assert found == []


def secrets_check(container: bool) -> Any:
    """Return preflight's check of data whose passwords are lost, with or without the container beside them."""
    stack = resolved_stack(ready_services=["redis"])
    stack["secrets"] = {"missing": ["redis/app"], "path": "/inventory/ready_secrets.vault"}
    volume = {"exists": True, "ours": True, "labels": {}}
    services = {"redis": {"exists": container, "ours": container}}
    return preflight_data.check_secrets(stack, {"volumes": {"ready_redis_data": volume}, "services": services})


@pytest.mark.parametrize("container", [True, False])
def test_recover_is_named_only_where_it_can_help(container: bool) -> None:
    """It reads config volumes by the containers that mount them."""
    found = secrets_check(container)
    assert found.verdict == "fail"
    assert "put back the secrets file" in found.next
    assert ("secrets recover" in found.next) == container


def test_data_with_another_password() -> None:
    """The data stay; the secrets that they were made with, or a backup, are the way out. Recovery reads new secrets."""
    outcome = {"healthy": False, "wrong_password": True, "state": "unhealthy", "seconds": 3, "detail": "", "logs": []}
    message = unhealthy_message("pc1", resolved_stack(), {"neo4j": outcome})
    assert "the volume ready_neo4j_data, ready_neo4j_logs holds a database with another password" in message
    assert "put back the secrets file" in message
    assert "./ready restore --only neo4j" in message
    assert "recover" not in message
    back = outcome | {"replaced": {"back": True, "healthy": True, "left": ""}}
    message = unhealthy_message("pc1", resolved_stack(), {"neo4j": back})
    assert "the container of before is back" in message
    assert "secrets recover reads the passwords back" in message


@pytest.mark.parametrize(
    ("labels", "whose"),
    [
        ({LABEL_STACK: "shop"}, "of the stack shop"),
        ({"com.docker.compose.project": "kailash"}, "of the compose project kailash"),
        ({}, "no label says whose"),
    ],
)
def test_a_foreign_volume_is_said_to_be_somebodys(labels: dict[str, str], whose: str) -> None:
    """Nobody is advised to remove it: it holds somebody's data."""
    stack = resolved_stack()
    volumes = {"ready_redis_data": {"exists": True, "ours": False, "labels": labels}}
    found = foreign.check_ownership("ready", stack["services"], {"volumes": volumes})
    assert found.verdict == "fail"
    assert f"volume ready_redis_data ({whose})" in found.found
    assert "another stack_name" in found.next
    assert "remove" not in found.next


def test_a_service_that_the_inventory_lost() -> None:
    """Its container may go without its data, and without the rest of the stack."""
    line = kept_lines({"others": [{"name": "ready-chromadb", "service": "chromadb", "status": "running"}]}, "pc1")[0]
    assert "name its service in ready_services again" in line
    assert "docker stop ready-chromadb and docker rm ready-chromadb, which leave its volumes" in line


def test_a_foreign_container_of_that_name(monkeypatch: pytest.MonkeyPatch) -> None:
    """It is left alone, and nobody is advised to remove it."""
    foreign = type("Foreign", (), {"labels": {}})()
    monkeypatch.setattr("ready.docker.apply.find_container", lambda *_: foreign)
    client: Any = None
    making = Making(client, "pc1", Replacing(client, "ready", {"redis": ContainerSpec(name="ready-redis")}, []))
    making.container("create", "redis")
    assert "docker rename" in making.faults[0]
    assert "remove" not in making.faults[0]


def values_of(text: str) -> Iterator[tuple[str, str, list[Any]]]:
    """Yield option, what follows and the known values, for each option with a value of a command in a message."""
    for match in re.finditer(rf"\./ready ({WORD})(?: ({WORD}))?((?: --[a-z-]+(?: [^\s;,()`-][^\s;,()`]*)?)*)", text):
        names = [word for word in match.groups()[:2] if word]
        verb, count = find(names, VERBS)
        if verb is None or count < len(names):  # "./ready restore without --to" is no call
            continue
        options = {option_label(name, its): its for name, its in VERBS[verb].get("options", {}).items()}
        words = match[3].split()
        for word, following in zip(words, [*words, ""][1:], strict=True):
            # A text that ends there is a part of one that has a placeholder.
            if following and word in options and options[word]["type"] != "bool":
                yield f"{verb} {word}", following, [*options[word].get("choices", ()), *SERVICES]


def test_an_option_with_a_value_has_one() -> None:
    """Else the next word of the sentence becomes it, where the command is completed."""
    found = [its for path in sources() for text in texts(path) for its in values_of(text)]
    assert len(found) > 10
    wrong = [
        f"{option} {value}"
        for option, value, known in found
        if not re.match(r"[A-Z0-9{'\".]", value) and not set(value.rstrip(".:").split(",")) <= set(known)
    ]
    assert wrong == []
