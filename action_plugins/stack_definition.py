# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Resolve the service definitions with the inventory's variables into one stack, on the controller."""

from __future__ import annotations

import sys
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail, AnsibleTemplateError
from ansible.plugins.action import ActionBase, VariableLayer

ROOT = Path(__file__).resolve().parent.parent
sys.path.append(str(ROOT / "module_utils"))

from ready import __version__  # noqa: E402  # Ansible offers module_utils to modules alone
from ready.cli import bounds, inventory_values  # noqa: E402  # Ansible offers module_utils to modules alone
from ready.cli.wheel import fingerprint  # noqa: E402
from ready.host.installed import environment_mark  # noqa: E402
from ready.preflight.left_out import without_services  # noqa: E402
from ready.secrets.inventory_store import (  # noqa: E402
    authority_paths,
    host_names,
    open_store,
    owner_of,
    publish_authority,
    read_ca,
    rendered_files,
    resolve_certificate_paths,
    store_without_secrets,
)
from ready.secrets.secrets_file import SecretsError  # noqa: E402
from ready.secrets.tls import certificate_states, renew_due_certificates, served_certificate  # noqa: E402
from ready.secrets.vault import SecretStore  # noqa: E402
from ready.stack import overrides, schedules  # noqa: E402  # Ansible offers module_utils to modules alone
from ready.stack.argument_specs import known_variables, role_specs, variable_prefixes, verb_specs  # noqa: E402
from ready.stack.definitions import DefinitionError, load_definitions, override_names, resolve_stack, unknown_variables  # noqa: E402
from ready.stack.former_names import FORMER_NAMES, notes  # noqa: E402
from ready.stack.render import fingerprints  # noqa: E402
from ready.stack.resolved import containers  # noqa: E402
from ready.stack.sidecars import switchable_sidecars  # noqa: E402

STACK_VARIABLES = (
    "stack_name",
    "ready_services",
    "ready_bind_address",
    "ready_tls",
    "image_source",
    "ready_evidence_dir",
    *switchable_sidecars().values(),
)


def _resolved(definitions: dict[str, dict[str, Any]], variables: dict[str, Any]) -> dict[str, Any]:
    """Return the stack. Raises DefinitionError with all that is wrong with any variable."""
    fitting, unfit = overrides.check(definitions, variables, variables["ready_services"])
    messages = [message for found in unfit.values() for message in found]
    try:
        stack = resolve_stack(definitions, {name: variables[name] for name in variables if name not in unfit} | fitting)
    except DefinitionError as error:
        messages += error.messages
    if messages:
        raise DefinitionError(messages)
    return stack


def _unwritable(store: SecretStore) -> str:
    """Return why new secrets, or a new key, could not be kept; "" if they can."""
    directories = [store.path.parent, *([] if store.key_file.exists() else [store.key_file.parent])]
    return "; ".join(fault.partition(", expected")[0] for fault in map(bounds.why_not_writable, directories) if fault)


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
            {
                "secrets": {"type": "str", "choices": ["read", "present", "rotate", "ignore"], "default": "read"},
                "endpoints": {"type": "bool", "default": False},
            }
        )
        definitions = load_definitions()
        ours = {name for item in definitions.values() for name in override_names(item)}
        unknown = unknown_variables(
            task_vars, known_variables() | ours | set(FORMER_NAMES), variable_prefixes() | set(definitions)
        )
        try:
            if unknown:
                raise DefinitionError(unknown)
            wanted = [name for name in (*STACK_VARIABLES, *sorted(ours)) if name in task_vars]
            variables = {name: self._templar.template(task_vars[name]) for name in wanted}
            usual = role_specs()["stack"]["main"]["options"]["ready_services"]["default"]
            by_default = variables.setdefault("ready_services", usual) is usual
            left_out = self._templar.template(task_vars.get("ready_left_out", {}))
            stack = without_services(_resolved(definitions, variables), left_out)
            if wrong := self._faults(stack, task_vars, args["endpoints"]):
                raise DefinitionError(wrong)
            stack |= self._backups(stack, task_vars)
            resolve_certificate_paths(stack, task_vars)
            for its in stack["external"].values():
                if its["ca_file"]:
                    read_ca(its["ca_file"])
            hosts, now = host_names(task_vars, self._templar.template), datetime.now(timezone.utc)
            ignored = args["secrets"] == "ignore"
            store = (
                store_without_secrets(task_vars, self._templar.template)
                if ignored
                else open_store(task_vars, self._templar.template)
            )
            faults = store.slips(stack["name"], stack["services"])
            # What is about to be replaced may be a refused one; another one would stop the run half-way.
            replaced = self._named(task_vars) or stack["services"] if args["secrets"] == "rotate" else ()
            kept = {name: its for name, its in stack["services"].items() if name not in replaced}
            faults += store.refused(stack["name"], kept) + store.shared(stack["name"], kept)
            faults += store.unusable(stack["name"], () if args["endpoints"] else stack["external"])
            if faults:
                raise DefinitionError(faults)
            made: list[str] = []
            published = False
            if args["secrets"] == "present" and not self._task.check_mode:
                made += ["/".join(pair) for pair in store.make_missing(stack["name"], stack["services"])]
                made += [f"{name}/certificate" for name in renew_due_certificates(store, stack, hosts, now)]
                published = publish_authority(store, stack["name"])
                if store.own(stack["name"]):
                    store.save()
                    made.append("owner")
        except DefinitionError as error:
            raise AnsibleActionFail("\n".join(f"{host}: {message}" for message in error.messages)) from error
        except SecretsError as error:
            raise AnsibleActionFail(f"{host}: {error}") from error
        except AnsibleTemplateError as error:
            if not inventory_values.fault("", str(error)):  # a lookup that failed, say: the others are not why
                raise
            if wrong := self._unavailable(task_vars, {*known_variables(), *ours}):
                raise AnsibleActionFail("\n".join(f"{host}: {message}" for message in wrong)) from None
            raise
        missing = store.missing(stack["name"], stack["services"])
        certificates = certificate_states(store, stack, hosts, now)
        incomplete = {service for service, _ in missing}
        for name, its in certificates.items():
            # What `up` is about to renew has no fingerprint in its plan; everybody else goes by what is served now.
            renews = args["secrets"] == "present" and its["due"]
            if renews or not served_certificate(store, stack["name"], stack["services"][name]):
                incomplete.add(name)
        for name, service in containers(stack).items():
            files = [] if service.get("of", name) in incomplete else rendered_files(store, stack, name)
            service |= fingerprints(service, files)
        stack |= {
            "by_default": list(usual) if by_default else [],
            "left_out": left_out,
            "image_source": variables["image_source"],
            "evidence_dir": str(Path(variables["ready_evidence_dir"]).expanduser().absolute()),
            "ready_version": __version__,
            "certificates": certificates,
            "authorities": authority_paths(store, stack),
            # Secrets are made after that was decided.
            "owner": owner_of(
                store, stack["name"], task_vars, self._templar.template, decided=args["secrets"] == "present"
            ),
            "secrets": {
                "exists": store.exists,
                "missing": ["/".join(pair) for pair in missing],
                "unset": [] if ignored else store.unset(stack["name"], stack["external"]),
                "path": str(store.path),
                "unwritable": _unwritable(store),
            },
        }
        default = role_specs()["probes"]["main"]["options"]["probes_directory"]["default"]
        directory = self._templar.template(task_vars.get("probes_directory", default))
        lock = (ROOT / "requirements-probes.txt").read_text(encoding="utf-8")
        stack["probes"] = {"directory": str(directory), "mark": environment_mark(lock, fingerprint())}
        self.register_host_variables({"ready_stack": stack}, VariableLayer.EPHEMERAL_FACT)
        if former := notes(task_vars):
            result["warnings"] = former
        result.update(changed=bool(made) or published, made=made)
        return result

    def _unavailable(self, task_vars: dict[str, Any], names: set[str]) -> list[str]:
        """Return which of the variables name what is undefined, or are encrypted and can't be opened."""
        wrong = []
        for name in sorted(names & task_vars.keys()):
            try:
                self._templar.template(task_vars[name])
            except AnsibleTemplateError as error:
                wrong.append(inventory_values.fault(name, str(error)))
        return list(filter(None, wrong))

    def _faults(self, stack: dict[str, Any], task_vars: dict[str, Any], endpoints: bool) -> list[str]:
        """Return what is outside of its range, and which service is named that the stack has not.

        Args:
            stack: the resolved stack.
            task_vars: of the host.
            endpoints: whether the verb knows services elsewhere.
        """
        points = [*verb_specs().values(), *(point for role in role_specs().values() for point in role.values())]
        options = bounds.options_with_bounds(points)
        options |= {former: options[name] for former, name in FORMER_NAMES.items() if name in options}
        given = {name: self._templar.template(task_vars[name]) for name in options if name in task_vars}
        faults = bounds.variable_faults(options, given)
        known = {**containers(stack), **(stack["external"] if endpoints else {})}
        strange = [name for name in self._named(task_vars) if name not in known]
        return faults + [f"--service: found {name}, expected some of {', '.join(known)}" for name in strange]

    def _named(self, task_vars: dict[str, Any]) -> list[str]:
        """Return the services of --service."""
        named = self._templar.template(task_vars.get("ready_service")) or []
        return named.split(",") if isinstance(named, str) else list(named)

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
