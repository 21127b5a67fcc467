"""What `./ready check` does, in this process: its functions on a stack under test, without Ansible's seconds.

That the verb does the same, and what it prints, is in test_check.py and test_security.py.
"""

from __future__ import annotations

import copy
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import docker
from ready.checks.parts import ASKED_PARTS
from ready.checks.runner import CheckRunner
from ready.common.clock import timestamp
from ready.docker.state import read_state
from ready.evidence import document as evidence
from ready.secrets.inventory_store import rendered_files
from ready.secrets.vault import SecretStore
from ready.stack.render import fingerprints
from ready.stack.resolved import containers

from action_plugins.check_results import evaluate
from tests.system.conftest import Ready


@dataclass
class Check:
    """What a check found: what is wrong, and the evidence and the text that the verb would leave and print."""

    failed: list[str]
    evidence: dict[str, evidence.Evidence] = field(repr=False)
    text: str

    @property
    def services(self) -> dict[str, Any]:
        """The services of the evidence of health."""
        return dict(self.evidence["health"]["results"]["services"])

    def verdicts(self, service: str) -> dict[str, str]:
        """Health check -> verdict of a service."""
        return {name: outcome["verdict"] for name, outcome in self.services[service]["checks"].items()}

    def unwell(self, service: str) -> set[str]:
        """The health checks of a service that did not pass."""
        return {name for name, verdict in self.verdicts(service).items() if verdict != "pass"}

    def well(self, *services: str) -> bool:
        """Whether these services are healthy and all their health checks passed."""
        return all(self.services[name]["state"] == "healthy" and not self.unwell(name) for name in services)


def resolved(ready: Ready) -> dict[str, Any]:
    """Return the stack as the verbs resolve it, with the fingerprints of its files."""
    stack = copy.deepcopy(ready.stack.resolved)
    store = SecretStore.open(ready.stack.secrets_file, ready.stack.key_file)
    for name, service in containers(stack).items():
        service |= fingerprints(service, rendered_files(store, stack, name))
    return stack


def check(ready: Ready, only: Sequence[str] = ("health", "drift"), timeout: float = 20) -> Check:
    """Ask, try, measure and judge; the evidence must be valid. More patient than the verb: other tests run beside."""
    stack = resolved(ready)
    answers = CheckRunner(stack, timeout).run([part for part in ASKED_PARTS if part in only], deadline=3 * timeout)
    state = read_state(docker.from_env(), stack["name"], stack["network"], list(containers(stack).values()))
    found = evaluate(stack, state, answers, only, {})
    now = timestamp()
    documents: dict[str, evidence.Evidence] = {}
    for its in found["evidence"]:
        document = evidence.make(
            its["name"], stack["name"], "localhost", its["verdict"], its["results"], now, finished_at=now
        )
        assert evidence.check(document) == []
        documents[its["name"]] = document
    text = "\n".join([*(" ".join(map(str, row.values())) for row in found["rows"]), *found["next"]])
    print(text)  # pytest shows it with whatever then fails
    return Check(found["failed"], documents, text)


def kept(ready: Ready, name: str = "health") -> evidence.Evidence:
    """Return the stack's evidence that a verb has left."""
    return evidence.read(evidence.path_of(ready.directory / "evidence", ready.stack.name, "localhost", name)).evidence
