"""The connection plugin's documentation: its page in docs/ and the plugin say the same."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import yaml

ROOT = Path(__file__).resolve().parents[3]
PLUGIN = ROOT / "connection_plugins" / "wsl_psrp.py"
PAGE = ROOT / "docs" / "wsl_psrp.md"


def options() -> dict[str, dict[str, Any]]:
    """Return the options that the plugin documents, by the variable that sets each."""
    tree = ast.parse(PLUGIN.read_text())
    text = next(
        ast.literal_eval(node.value)
        for node in tree.body
        if isinstance(node, ast.Assign)
        and isinstance(node.targets[0], ast.Name)
        and node.targets[0].id == "DOCUMENTATION"
    )
    found: dict[str, dict[str, Any]] = yaml.safe_load(text)["options"]
    return {option["vars"][0]["name"]: option | {"name": name} for name, option in found.items()}


def test_the_page_names_each_option_with_its_default() -> None:
    """The table of variables."""
    rows = dict(re.findall(r"^\| `(ansible_wsl_\w+)` \| ([^|]*) \|", PAGE.read_text(), re.MULTILINE))
    said = {name: re.sub(r"`| \(.*\)", "", value).strip() for name, value in rows.items()}
    assert said == {name: str(option.get("default", "required")) for name, option in options().items()}


def test_the_code_reads_each_option_and_no_other() -> None:
    """An option that nothing reads would promise something."""
    read = set(re.findall(r"self\.get_option\([\"'](\w+)[\"']\)", PLUGIN.read_text()))
    assert read == {option["name"] for option in options().values()}


def test_the_page_has_each_message() -> None:
    """What is printed can be looked up."""
    page = " ".join(PAGE.read_text().split())
    for words in (
        "Windows does not answer PSRP",
        "Windows refused the logon",
        "wsl.exe could not be started",
        "the connection to Windows was lost while a command ran",
    ):
        assert words in " ".join(PLUGIN.read_text().split())
        assert words in page
