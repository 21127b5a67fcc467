"""A module's documentation, its code and its action plugin say the same."""

from __future__ import annotations

import ast
import importlib.util
import types
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import ansible.module_utils.basic
import pytest
import yaml
from ansible.plugins.action import ActionBase

ROOT = Path(__file__).resolve().parents[3]
MODULES = sorted(path.stem for path in (ROOT / "library").glob("*.py"))
ACTIONS = sorted(path.stem for path in (ROOT / "action_plugins").glob("*.py"))
ATTRIBUTES = ("check_mode", "diff_mode", "idempotent")
SUPPORT = ("full", "partial", "none", "N/A")


class CapturedError(BaseException):
    """What a module or action asked for; no handler of theirs may catch it."""

    def __init__(self, spec: Mapping[str, Any], check_mode: bool) -> None:
        self.spec, self.check_mode = spec, check_mode


def load(path: Path) -> types.ModuleType:
    """Import a file."""
    spec = importlib.util.spec_from_file_location(f"ready_under_test_{path.parent.name}_{path.stem}", path)
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def documents(path: Path) -> dict[str, Any]:
    """Return DOCUMENTATION, EXAMPLES and RETURN of a file, parsed, with the options of doc_fragments/."""
    docs = {
        node.targets[0].id: yaml.safe_load(ast.literal_eval(node.value))
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id in {"DOCUMENTATION", "EXAMPLES", "RETURN"}
    }
    for name in docs.get("DOCUMENTATION", {}).get("extends_documentation_fragment", []):
        file, _, part = name.partition(".")
        fragment = load(ROOT / "doc_fragments" / f"{file}.py").ModuleDocFragment
        shared = yaml.safe_load(getattr(fragment, part.upper() or "DOCUMENTATION"))["options"]
        docs["DOCUMENTATION"]["options"] = shared | docs["DOCUMENTATION"]["options"]
    return docs


def asked(call: Callable[[], object]) -> CapturedError:
    """Return what a call asked for before it did anything."""
    try:
        call()
    except CapturedError as captured:
        return captured
    raise AssertionError("it never stated its arguments")


def module_asks(path: Path, monkeypatch: pytest.MonkeyPatch) -> CapturedError | None:
    """Return what a module's code asks for; None for a file that is documentation alone."""

    class Stub:
        def __init__(self, argument_spec: Mapping[str, Any], supports_check_mode: bool = False, **_: Any) -> None:
            raise CapturedError(argument_spec, supports_check_mode)

    monkeypatch.setattr(ansible.module_utils.basic, "AnsibleModule", Stub)
    main = getattr(load(path), "main", None)
    return asked(main) if main else None


def action_asks(path: Path, monkeypatch: pytest.MonkeyPatch) -> CapturedError | None:
    """Return what an action plugin accepts; None for one that hands its arguments on to its module as they are."""
    source = path.read_text()
    if "validate_argument_spec" not in source and f'module_name="{path.stem}"' in source:
        return None
    plugin = load(path).ActionModule

    def validate(_: object, argument_spec: Mapping[str, Any], **__: Any) -> None:
        raise CapturedError(argument_spec, plugin._supports_check_mode)

    monkeypatch.setattr(ActionBase, "run", lambda *_: {})
    monkeypatch.setattr(ActionBase, "validate_argument_spec", validate)
    return asked(lambda: object.__new__(plugin).run(None, {"inventory_hostname": "pc1"}))


def option_faults(documented: Mapping[str, Any], coded: Mapping[str, Any], where: str = "") -> list[str]:
    """Return where documented options differ from those that code states; documented ones may be more."""
    messages = []
    for name, spec in coded.items():
        label = f"{where}{name}"
        if name not in documented:
            messages.append(f"{label}: not documented")
            continue
        option = documented[name]
        for key, absent in (
            ("type", "str"),
            ("default", None),
            ("choices", None),
            ("required", False),
            ("elements", None),
        ):
            said, done = option.get(key, absent), spec.get(key, absent)
            if said != done or isinstance(said, bool) != isinstance(done, bool):
                messages.append(f"{label}: {key} {said!r} in the documentation, {done!r} in the code")
        inner, nested = option.get("suboptions", {}), spec.get("options", {})
        messages += option_faults(inner, nested, f"{label}.")
        messages += [f"{label}.{extra}: documented, not in the code" for extra in inner if extra not in nested]
    return messages


def document_faults(name: str, docs: Mapping[str, Any]) -> list[str]:
    """Return what is wrong with a module's documentation in itself."""
    messages = [f"no {part}" for part in ("DOCUMENTATION", "EXAMPLES", "RETURN") if part not in docs]
    if messages:
        return messages
    documentation = docs["DOCUMENTATION"]
    if documentation.get("module") != name:
        messages.append(f"it calls itself {documentation.get('module')!r}")
    messages += [f"no {key}" for key in ("short_description", "description", "author") if not documentation.get(key)]
    options = documentation.get("options") or {}
    messages += [f"{key}: no description" for key, option in options.items() if not option.get("description")]
    for attribute in ATTRIBUTES:
        stated = documentation.get("attributes", {}).get(attribute, {})
        if stated.get("support") not in SUPPORT or not stated.get("description"):
            messages.append(f"attribute {attribute}: {stated or 'absent'}")
    for number, task in enumerate(docs["EXAMPLES"] or [{}]):
        if name not in task:
            messages.append(f"example {number} does not use it")
            continue
        used = task[name] or {}
        messages += [f"example {number}: unknown option {key}" for key in used if key not in options]
        messages += [
            f"example {number}: no {key}"
            for key, option in options.items()
            if option.get("required") and key not in used
        ]
    for key, value in (docs["RETURN"] or {}).items():
        messages += [f"RETURN {key}: no {part}" for part in ("description", "returned", "type") if not value.get(part)]
    return messages


def code_faults(docs: Mapping[str, Any], parts: Mapping[str, CapturedError]) -> list[str]:
    """Return where the documentation differs from what module and action plugin ask for, taken together."""
    documentation = docs["DOCUMENTATION"]
    options = documentation.get("options") or {}
    messages = [f"{part}: {text}" for part, found in parts.items() for text in option_faults(options, found.spec)]
    known = {key for found in parts.values() for key in found.spec}
    messages += [f"{key}: documented, not in the code" for key in options if key not in known]
    claims = documentation["attributes"]["check_mode"]["support"] in {"full", "partial"}
    messages += [
        f"{part}: check mode is {found.check_mode}, {claims} is claimed"
        for part, found in parts.items()
        if found.check_mode != claims
    ]
    return messages


@pytest.mark.parametrize("name", MODULES)
def test_module_says_what_it_does(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """Documentation, examples, code and action plugin agree."""
    path = ROOT / "library" / f"{name}.py"
    docs = documents(path)
    assert document_faults(name, docs) == []
    parts = {}
    if found := module_asks(path, monkeypatch):
        parts["module"] = found
    if name in ACTIONS and (found := action_asks(ROOT / "action_plugins" / f"{name}.py", monkeypatch)):
        parts["action"] = found
    assert parts, "neither a module nor an action plugin"
    assert code_faults(docs, parts) == []


def test_every_action_is_documented() -> None:
    """ansible-doc and the linter look in library/."""
    assert set(ACTIONS) <= set(MODULES)


@pytest.mark.parametrize(
    "folder", ["library", "action_plugins", "doc_fragments", "filter_plugins", "module_utils/ready", "tools"]
)
def test_licence_line(folder: str) -> None:
    """Ansible's plugins ask for it."""
    for path in (ROOT / folder).glob("*.py"):
        if path.name != "__init__.py":
            assert "GNU General Public License v3.0+" in path.read_text()[:200], path


ATTRIBUTE = {"support": "full", "description": "x"}
DOCS: dict[str, Any] = {
    "DOCUMENTATION": {
        "module": "m",
        "short_description": "x",
        "description": "x",
        "author": ["x"],
        "options": {"size": {"description": "x", "type": "int", "required": True}},
        "attributes": dict.fromkeys(ATTRIBUTES, ATTRIBUTE),
    },
    "EXAMPLES": [{"m": {"size": 1}}],
    "RETURN": {"text": {"description": "x", "returned": "always", "type": "str"}},
}
CODE = {"size": {"type": "int", "required": True}}


def test_good_module_has_no_fault() -> None:
    """What the mutations below start from."""
    assert document_faults("m", DOCS) == []
    assert code_faults(DOCS, {"module": CapturedError(CODE, True)}) == []


@pytest.mark.parametrize(
    ("part", "value", "message"),
    [
        ("DOCUMENTATION", {**DOCS["DOCUMENTATION"], "module": "n"}, "it calls itself 'n'"),
        ("DOCUMENTATION", {**DOCS["DOCUMENTATION"], "attributes": {}}, "attribute check_mode"),
        ("DOCUMENTATION", {**DOCS["DOCUMENTATION"], "options": {"size": {"type": "int"}}}, "size: no description"),
        ("EXAMPLES", [{"m": {"sizee": 1}}], "unknown option sizee"),
        ("EXAMPLES", [{"m": {}}], "example 0: no size"),
        ("EXAMPLES", [{"n": {}}], "example 0 does not use it"),
        ("RETURN", {"text": {"description": "x"}}, "RETURN text: no returned"),
    ],
)
def test_bad_documentation_is_seen(part: str, value: Any, message: str) -> None:
    """Each kind of fault goes red."""
    assert any(message in text for text in document_faults("m", {**DOCS, part: value}))


@pytest.mark.parametrize(
    ("code", "check_mode", "message"),
    [
        ({"size": {"type": "str", "required": True}}, True, "type 'int' in the documentation, 'str' in the code"),
        ({"size": {"type": "int"}}, True, "required True in the documentation, False in the code"),
        ({"size": {"type": "int", "required": True, "default": 3}}, True, "default None in the documentation, 3"),
        ({"size": {"type": "int", "required": True, "choices": [1]}}, True, "choices"),
        ({**CODE, "more": {}}, True, "more: not documented"),
        ({}, True, "size: documented, not in the code"),
        (CODE, False, "check mode is False, True is claimed"),
    ],
)
def test_bad_code_is_seen(code: dict[str, Any], check_mode: bool, message: str) -> None:
    """Each kind of contradiction goes red."""
    assert any(message in text for text in code_faults(DOCS, {"module": CapturedError(code, check_mode)}))
