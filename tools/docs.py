# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Write the reference tables in docs/ from what the code reads: `python tools/docs.py [--check]`.

Variables of a role (roles/<role>/meta/argument_specs.yml; a service role's defaults stand in services/<role>.yml),
options of a verb (playbooks/<verb>.meta.yml), accounts of a service, keys of a service definition, requirements,
security checks, what is measured, rules of the gold standards, error codes of wsl.exe, the map
of module_utils/ready. Each table stands between
<!-- BEGIN NAME --> and <!-- END NAME --> on its page; everything else on the page is written by people.
"""

from __future__ import annotations

import argparse
import difflib
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "module_utils")]

from ready.cli.options import option_label  # noqa: E402
from ready.common.verbs import page_of, verb_name  # noqa: E402
from ready.evidence import requirements  # noqa: E402
from ready.stack.argument_specs import role_specs, verb_specs  # noqa: E402
from ready.stack.definitions import load_definitions, override_names, resolve_stack  # noqa: E402

from tools import layers  # noqa: E402

LONG = 60
_MARKUP = re.compile(r"\b[VCEOBIMPR]+\(((?:[^()]|\([^()]*\))*)\)")
_LINK = re.compile(r"\bL\(([^,]+),\s*([^)]+)\)")


class DocsError(ValueError):
    """A page is missing, or its markers are."""


def text(description: str | Sequence[str]) -> str:
    """Return a description with Ansible's markup turned into Markdown, fit for a table cell."""
    joined = description if isinstance(description, str) else " ".join(description)
    joined = _MARKUP.sub(r"`\1`", _LINK.sub(r"[\1](\2)", joined))
    return cell(joined)


def cell(value: str) -> str:
    """Return text that does not break a table."""
    line = " ".join(value.split()).replace("|", "\\|")
    return re.sub(r"(`[^`]*`)|<", lambda match: match[1] or "&lt;", line)  # a code span shows what stands in it


def code(value: Any, where: str = "") -> str:
    """Return a value as code; a long one becomes a pointer to where it stands."""
    if value is None or value == "":
        return ""
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    if len(shown) > LONG and where:
        return where
    return f"`{shown}`".replace("|", "\\|")


def table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table."""
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _kind(option: Mapping[str, Any]) -> str:
    kind = option.get("type", "str")
    return f"{kind} of {option['elements']}" if "elements" in option else str(kind)


def _option_rows(options: Mapping[str, Any], defaults: Mapping[str, str], prefix: str = "") -> Iterator[list[str]]:
    for name, option in options.items():
        notes = text(option["description"])
        if choices := option.get("choices"):
            notes += f" One of {', '.join(f'`{choice}`' for choice in choices)}."
        if "minimum" in option:
            notes += f" From {option['minimum']} to {option['maximum']}."
        default = "required" if option.get("required") else defaults.get(name, code(option.get("default")))
        yield [f"`{prefix}{name}`", _kind(option), default, notes]
        inner = f"{prefix}{name}{'[]' if option.get('type') == 'list' else ''}."
        yield from _option_rows(option.get("options", {}), {}, inner)


def definition_defaults(definition: Mapping[str, Any]) -> dict[str, str]:
    """Return variable -> default for the variables that override a service definition."""
    where = f"[services/{definition['name']}.yml](../../services/{definition['name']}.yml)"
    defaults = {}
    for variable, path in override_names(definition).items():
        if path == ("bind",):
            defaults[variable] = "`ready_bind_address`"
        elif path[0] == "ports":
            defaults[variable] = code(
                next(port["container"] for port in definition["ports"] if port["name"] == path[1])
            )
        else:
            value: Any = definition
            for key in path:
                value = value.get(key, "")
            defaults[variable] = code(value, where)
    return defaults


def variables_table(role: str) -> str:
    """Return the table of a role's variables."""
    definitions = load_definitions()
    defaults = definition_defaults(definitions[role]) if role in definitions else {}
    options: dict[str, Any] = {}
    for point in role_specs()[role].values():
        options |= point.get("options", {})
    if not options:
        return "This role has no variables."
    return table(["Variable", "Type", "Default", "What it is"], list(_option_rows(options, defaults)))


def accounts_table(service: str) -> str:
    """Return the accounts of a service, with what each of them may do."""
    accounts = load_definitions()[service]["accounts"]
    rows = [[f"`{name}`", f"`{its['login']}`", cell(its["rights"])] for name, its in accounts.items()]
    return table(["Account", "Login", "Rights"], rows)


def options_table(page: str) -> str:
    """Return the options of every verb on a page: `images` holds `images lock`, and `images save`."""
    parts = []
    verbs = {name: spec for name, spec in verb_specs().items() if page_of(name) == page}
    for name, spec in verbs.items():
        variables = {option_label(key, value): key for key, value in spec.get("options", {}).items()}
        options = {name: spec["options"][key] for name, key in variables.items()}
        block = [] if len(verbs) == 1 else [f"### ./ready {verb_name(name)}", f"{text(spec['short_description'])}."]
        if options:
            rows = [[row[0], f"`{variables[row[0].strip('`')]}`", *row[1:]] for row in _option_rows(options, {})]
            block.append(table(["Option", "Variable", "Type", "Default", "What it does"], rows))
        else:
            block.append("It has no options of its own.")
        parts.append("\n\n".join(block))
    return "\n\n".join(parts)


def keys_table() -> str:
    """Return the keys of a service definition, from its schema."""
    schema = json.loads((ROOT / "schemas" / "service.schema.json").read_text(encoding="utf-8"))

    def rows(node: Mapping[str, Any], prefix: str) -> Iterator[list[str]]:
        for name, item in node.get("properties", {}).items():
            target = schema["$defs"][item["$ref"].rpartition("/")[2]] if "$ref" in item else item
            kind = target.get("type", "one of " + ", ".join(f"`{choice}`" for choice in target.get("enum", [])))
            kind = kind if isinstance(kind, str) else " or ".join(kind)
            needed = "yes" if name in node.get("required", []) else ""
            yield [f"`{prefix}{name}`", kind, needed, text(item.get("description", ""))]
            yield from rows(target, f"{prefix}{name}.")
            yield from rows(
                target.get("items", {}) if isinstance(target.get("items"), dict) else {}, f"{prefix}{name}[]."
            )

    return table(["Key", "Type", "Required", "What it is"], list(rows(schema, "")))


def requirements_table() -> str:
    """Return every requirement, by section."""
    loaded = requirements.load()
    parts = []
    for section in loaded.sections:
        rows = []
        for name in section.requirements:
            row = loaded.requirements[name]
            points = f"{row.weight:g}" if row.weight else ""
            rows.append(
                [
                    f"`{name}`",
                    cell(row.title),
                    "<br>".join(map(cell, row.objective.split("; "))),
                    f"`{row.evidence}`",
                    points,
                ]
            )
        head = f"### {section.title}{'' if section.judged else ' (not judged)'}\n\n{section.source}"
        parts.append(f"{head}\n\n{table(['Requirement', 'What', 'Objective', 'Evidence', 'Points'], rows)}")
    return "\n\n".join(parts)


def evidence_table() -> str:
    """Return which verb leaves which evidence, and how old it may be."""
    data = yaml.safe_load(requirements.FILE.read_text(encoding="utf-8"))["evidence"]
    rows = []
    for name, entry in data.items():
        schema = json.loads((ROOT / "schemas" / "evidence" / f"{name}.schema.json").read_text(encoding="utf-8"))
        verbs = " and ".join(f"`{verb_name(verb)}`" for verb in (entry["verb"], entry.get("deepened_by")) if verb)
        rows.append([f"`{name}`", text(schema["description"]), verbs, f"{entry['max_age_days']:g} days"])
    return table(["Evidence", "What it holds", "Left by", "Counts for"], rows)


@cache
def security_table() -> str:
    """Return every security check: of containers, attempts by service, from outside, searches for secrets."""
    from ready.checks.make_probes import make_probes
    from ready.security.container_checks import CHECKS
    from ready.security.probes import SECURITY_PROBES  # the drivers take a second
    from ready.security.verdicts import LEAKS, OUTSIDE

    variables = {"stack_name": "ready", "ready_services": list(SECURITY_PROBES), "ready_bind_address": "127.0.0.1"}
    probes = make_probes(resolve_stack(load_definitions(), variables), {}, 1.0)
    groups = {
        "Each container": [(check.id, check.title, check.how) for check in CHECKS],
        "From a second network namespace, each service": [(name, its[1], its[2]) for name, its in OUTSIDE.items()],
        **{
            f"As an attacker of {probes[name].service['title']}": [
                (item.name, item.title, item.how) for item in security_probe(probes[name], dict).attempts()
            ]
            for name, security_probe in SECURITY_PROBES.items()
        },
        "Secrets": [(name, *its) for name, its in LEAKS.items()],
    }
    return "\n\n".join(
        f"### {title}\n\n"
        + table(
            ["Check", "What must be true", "How anybody repeats it"],
            [[f"`{name}`", cell(what), f"`{' '.join(how.split())}`".replace("|", "\\|")] for name, what, how in rows],
        )
        for title, rows in groups.items()
    )


def latency_table() -> str:
    """Return what is measured of each service, and the objectives of its definition."""
    from ready.registry import table as registered

    rows = []
    for name, workload in registered("workload").items():
        its = load_definitions()[name]
        asked = (workload.__doc__ or "").partition("\n")[0].removeprefix("Operations: ").removesuffix(".")
        objectives = [f"`{key}` {value:g} ms" for key, value in its["objectives"].items()]
        rows.append([its["title"], cell(workload.size), cell(asked), ", ".join(objectives)])
    return table(["Service", "Fixture", "Operations, the ADR's own first", "Objectives"], rows)


def codes_table() -> str:
    """Return the error codes of wsl.exe, with cause and cure."""
    from ready.windows.wsl_error_table import ERRORS

    rows = [
        [
            "<br>".join(f"`{word}`" for word in (row.code, row.name) if word) or "any other",
            ", ".join(f"`{word}`" for word in row.where),
            cell(row.cause),
            cell(row.next),
        ]
        for row in sorted(ERRORS, key=lambda row: (not row.code, row.code, not row.where))
    ]
    return table(["Code", "Below", "Cause", "Next"], rows)


def rules_pages() -> str:
    """Return a section per rule of the gold standards, with its examples."""
    from ready.gold.rules import RULES

    def example(title: str, files: Mapping[str, str]) -> str:
        named = len(files) > 1
        codes = [f"# {path}\n{code}" if named and code else code for path, code in files.items() if code]
        return f"{title}:\n\n```python\n{chr(10).join(codes).rstrip()}\n```"

    sections = []
    for rule in RULES:
        parts = [
            f"### {rule.id}: {rule.title}",
            f"{rule.rationale} Severity: {rule.severity}. Source: {rule.source}.",
            example("Bad", rule.bad),
            example("Good", rule.good),
        ]
        parts += [f"`--fix` {rule.fix}."] if rule.fix else []
        parts += [f"Not seen: {rule.known}."] if rule.known else []
        sections.append("\n\n".join(parts))
    return "\n\n".join(sections)


def map_tables() -> str:
    """Return the packages of module_utils/ready from the highest layer down, and what each module is for."""
    parts = []
    for package, modules in layers.packages().items():
        title = f"`{package}/`: {layers.purpose(f'ready.{package}')}" if package else "In no package"
        rows = [
            [f"`{'.'.join(name.split('.')[2 if package else 1 :])}`", cell(layers.purpose(name)), layers.where(name)]
            for name in modules
        ]
        parts.append(f"### {title}\n\n{table(['module', 'what it is for', 'runs on'], rows)}")
    return "\n\n".join(parts)


def replace(page: str, marker: str, content: str, name: str) -> str:
    """Return a page with the text between its markers replaced."""
    begin, end = f"<!-- BEGIN {marker} -->", f"<!-- END {marker} -->"
    if page.count(begin) != 1 or page.count(end) != 1 or page.index(begin) > page.index(end):
        raise DocsError(f"{name}: expected one line {begin} and one line {end}")
    head, _, rest = page.partition(begin)
    return f"{head}{begin}\n\n{content}\n\n{end}{rest.partition(end)[2]}"


def blocks() -> dict[str, list[tuple[str, str]]]:
    """Return page -> its generated tables."""
    found: dict[str, list[tuple[str, str]]] = {
        "docs/architecture.md": [("MAP", map_tables())],
        "docs/latency.md": [("LATENCY", latency_table())],
        "docs/gold-standards.md": [("RULES", rules_pages())],
        "docs/windows-errors.md": [("CODES", codes_table())],
        "docs/report.md": [("REQUIREMENTS", requirements_table())],
        "docs/evidence.md": [("EVIDENCE", evidence_table())],
        "docs/security.md": [("SECURITY", security_table())],
        "docs/service-definition.md": [("KEYS", keys_table())],
    }
    for role in role_specs():
        found[f"docs/roles/{role}.md"] = [("VARIABLES", variables_table(role))]
    for name, definition in load_definitions().items():
        if definition["accounts"]:
            found[f"docs/roles/{name}.md"].append(("ACCOUNTS", accounts_table(name)))
    for page in dict.fromkeys(page_of(name) for name in verb_specs()):
        found[f"docs/verbs/{page}.md"] = [("OPTIONS", options_table(page))]
    return found


def update(page: str, tables: Sequence[tuple[str, str]]) -> tuple[str, str]:
    """Return a page's text as it is and as it should be. Raises DocsError."""
    path = ROOT / page
    if not path.is_file():
        markers = " and ".join(f"<!-- BEGIN {marker} --> <!-- END {marker} -->" for marker, _ in tables)
        raise DocsError(f"{page}: is missing. Next: write it, with {markers}, and run tools/docs.py")
    before = after = path.read_text(encoding="utf-8")
    for marker, content in tables:
        after = replace(after, marker, content, page)
    return before, after


def main(argv: Sequence[str] | None = None) -> int:
    """Write or check all pages; return 1 when one is stale or missing."""
    parser = argparse.ArgumentParser(description="Write the reference tables in docs/ from what the code reads.")
    parser.add_argument("--check", action="store_true", help="change nothing; show what is stale and exit 1")
    check = parser.parse_args(argv).check
    faults = 0
    for page, tables in blocks().items():
        try:
            before, after = update(page, tables)
        except DocsError as error:
            print(error, file=sys.stderr)
            faults += 1
            continue
        if before == after:
            continue
        if check:
            faults += 1
            sys.stdout.writelines(
                difflib.unified_diff(before.splitlines(True), after.splitlines(True), page, f"{page} (should be)", n=1)
            )
        else:
            (ROOT / page).write_text(after, encoding="utf-8")
            print(f"{page} written")
    return 1 if faults else 0


if __name__ == "__main__":
    sys.exit(main())
