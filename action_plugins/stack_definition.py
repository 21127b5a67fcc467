# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Resolve the service definitions with the inventory's variables into one stack, on the controller."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase, VariableLayer

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))

from ready import __version__, schedules  # noqa: E402  # Ansible offers module_utils to modules alone
from ready.container import SIDECARS, containers  # noqa: E402
from ready.definitions import (  # noqa: E402
    DefinitionError,
    load_definitions,
    override_names,
    resolve_stack,
    unknown_variables,
)
from ready.installed import mark  # noqa: E402
from ready.inventory import (  # noqa: E402
    authorities,
    hosts_of,
    open_store,
    owner_of,
    publish_authority,
    rendered,
    store_without_secrets,
    with_paths,
)
from ready.package import fingerprint  # noqa: E402
from ready.render import files_hash  # noqa: E402
from ready.specs import known_variables, name_spaces, role_specs  # noqa: E402
from ready.tls import make_due, served, standing  # noqa: E402
from ready.vault import SecretsError  # noqa: E402

STACK_VARIABLES = (
    "stack_name",
    "ready_services",
    "ready_bind_address",
    "ready_tls",
    "image_source",
    "ready_evidence_dir",
    *SIDECARS.values(),
)


class ActionModule(ActionBase):
    """See library/stack_definition.py."""

    _supports_check_mode = True
    _supports_async = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Resolve, check, open the secrets, and return the fact."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        task_vars = task_vars or {}
        host = task_vars["inventory_hostname"]
        _, args = self.validate_argument_spec(
            {"secrets": {"type": "str", "choices": ["read", "present", "ignore"], "default": "read"}}
        )
        definitions = load_definitions()
        overrides = {name for item in definitions.values() for name in override_names(item)}
        unknown = unknown_variables(task_vars, known_variables() | overrides, name_spaces() | set(definitions))
        try:
            if unknown:
                raise DefinitionError(unknown)
            wanted = [name for name in (*STACK_VARIABLES, *sorted(overrides)) if name in task_vars]
            variables = {name: self._templar.template(task_vars[name]) for name in wanted}
            stack = resolve_stack(definitions, variables)
            stack |= self._backups(stack, task_vars)
            with_paths(stack, task_vars)
            hosts, now = hosts_of(task_vars, self._templar.template), datetime.now(timezone.utc)
            ignored = args["secrets"] == "ignore"
            store = (
                store_without_secrets(task_vars, self._templar.template)
                if ignored
                else open_store(task_vars, self._templar.template)
            )
            if faults := store.faults(stack["name"]):
                raise DefinitionError(faults)
            made: list[str] = []
            published = False
            if args["secrets"] == "present" and not self._task.check_mode:
                made += ["/".join(pair) for pair in store.make_missing(stack["name"], stack["services"])]
                made += [f"{name}/certificate" for name in make_due(store, stack, hosts, now)]
                published = publish_authority(store, stack["name"])
                if store.own(stack["name"]):
                    store.save()
                    made.append("owner")
        except DefinitionError as error:
            raise AnsibleActionFail("\n".join(f"{host}: {message}" for message in error.messages)) from error
        except SecretsError as error:
            raise AnsibleActionFail(f"{host}: {error}") from error
        missing = store.missing(stack["name"], stack["services"])
        certificates = standing(store, stack, hosts, now)
        incomplete = {service for service, _ in missing}
        for name, its in certificates.items():
            # What `up` is about to renew has no fingerprint in its plan; everybody else goes by what is served now.
            renews = args["secrets"] == "present" and its["due"]
            if renews or not served(store, stack["name"], stack["services"][name]):
                incomplete.add(name)
        for name, service in containers(stack).items():
            files = [] if service.get("of", name) in incomplete else rendered(store, stack, name)
            service["config_hash"] = files_hash(files, service["image"]["user"]) if files else None
        stack |= {
            "image_source": variables["image_source"],
            "evidence_dir": str(Path(variables["ready_evidence_dir"]).expanduser().absolute()),
            "ready_version": __version__,
            "certificates": certificates,
            "authorities": authorities(store, stack),
            # Secrets are made after that was decided.
            "owner": owner_of(
                store, stack["name"], task_vars, self._templar.template, decided=args["secrets"] == "present"
            ),
            "secrets": {
                "exists": store.exists,
                "missing": ["/".join(pair) for pair in missing],
                "path": str(store.path),
            },
        }
        default = role_specs()["probes"]["main"]["options"]["probes_directory"]["default"]
        directory = self._templar.template(task_vars.get("probes_directory", default))
        lock = (ROOT / "requirements-probes.txt").read_text(encoding="utf-8")
        stack["probes"] = {"directory": str(directory), "mark": mark(lock, fingerprint())}
        self.register_host_variables({"ready_stack": stack}, VariableLayer.EPHEMERAL_FACT)
        result.update(changed=bool(made) or published, made=made)
        return result

    def _backups(self, stack: dict[str, Any], task_vars: dict[str, Any]) -> dict[str, Any]:
        """Return what the host is to do by itself, and whether the inventory says where sets go."""
        options = role_specs()["backup"]["main"]["options"]
        variables = {
            name: self._templar.template(task_vars.get(name, options[name]["default"]))
            for name in schedules.VARIABLES.values()
        }
        if faults := schedules.faults(variables, options):
            raise DefinitionError(faults)
        return {
            "schedules": schedules.schedules(variables, stack["sidecars"]),
            "repository_given": bool(self._templar.template(task_vars.get("backup_repository", ""))),
        }
