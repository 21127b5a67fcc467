# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Judge an application's code by the gold standards."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

from ansible.errors import AnsibleActionFail
from ansible.plugins.action import ActionBase

sys.path.append(str(Path(__file__).resolve().parent.parent / "module_utils"))

from ready.common.files import reason_of, write_text
from ready.common.units import counted
from ready.common.verdict import WAIVED
from ready.evidence import document as evidence
from ready.gold import fix, score, standing
from ready.gold.cache import default_path
from ready.gold.engine import Result, analyse
from ready.gold.outputs import FORMATS
from ready.gold.outputs.table import COLUMNS, table_rows
from ready.gold.rules import BY_ID
from ready.gold.shown import printable

_PATHS = {"type": "list", "elements": "str", "default": []}


class ActionModule(ActionBase):
    """See library/gold_standards.py."""

    _supports_check_mode = True
    _requires_connection = False

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        """Read, judge, write what was asked for."""
        result: dict[str, Any] = super().run(tmp, task_vars)
        _, args = self.validate_argument_spec(
            {
                "path": {"type": "path", "required": True},
                "rules": {"type": "list", "elements": "str", "default": []},
                "exclude": _PATHS,
                "fix": {"type": "bool", "default": False},
                "output": {"type": "path"},
                "format": {"type": "str", "choices": list(FORMATS), "default": "text"},
                "threshold": {"type": "float", "default": standing.TARGET},
                "stack": {"type": "dict", "required": True},
            }
        )
        path = Path(args["path"]).expanduser().resolve()
        args["rules"] = [name.upper() for name in args["rules"]]
        if unknown := [name for name in args["rules"] if name not in BY_ID]:
            raise AnsibleActionFail(
                f"rules: found {', '.join(unknown)}; expected some of {', '.join(BY_ID)}. Nothing was judged. "
                "Next: name rules of docs/gold-standards.md"
            )
        try:
            found = self._judged(path, args)
            changes = fix.fixes(found) if args["fix"] else {}
            if changes and not self._task.check_mode:
                fix.write(changes)
                found = self._judged(path, args)
            everything = self._judged(path, args | {"exclude": []}) if args["exclude"] else None
            text = FORMATS[args["format"]](found, args["threshold"])
            if args["output"] and not self._task.check_mode:
                write_text(Path(args["output"]).expanduser().absolute(), f"{text}\n")
        except OSError as error:
            raise AnsibleActionFail(
                f"{error.filename or path}: found {reason_of(error)}; expected a place that can be read and written. "
                "Next: see to it, or name another"
            ) from None
        except ValueError as error:
            raise AnsibleActionFail(str(error)) from error
        about = {"path": printable(str(path)), "exclude": args["exclude"]}
        host, stack = str((task_vars or {})["inventory_hostname"]), args["stack"]
        before = evidence.earlier(Path(stack["evidence_dir"]), str(stack["name"]), host, "gold_standards")["results"]
        same = all(before.get(key) == value for key, value in about.items())
        results = score.results(found, before if same else None, everything) | about
        result.update(
            changed=bool(changes),
            diff={"prepared": fix.diff(changes, found.root)} if changes else {},
            verdict=standing.verdict(results),
            kept=not results["unread"] and (results["score"] is None or results["score"] >= args["threshold"]),
            results=results,
            table={"columns": COLUMNS, "rows": table_rows(found), "lines": _lines(results, text, args)},
        )
        return result

    def _judged(self, path: Path, args: dict[str, Any]) -> Result:
        return analyse([path], rules=args["rules"], exclude=args["exclude"], kept=default_path())


def _lines(results: dict[str, Any], text: str, args: dict[str, Any]) -> list[str]:
    """Return what is printed below the table: the findings, unless they go to a file, and the trend."""
    shown = [] if args["output"] else text.split("\n") if args["format"] == "text" else [text]
    if results["exclude"]:
        shown.append(f"left out: {', '.join(results['exclude'])}, {counted(results['files_left_out'], 'file')}")
    if waived := [name for name, state in results["without_allowances"].items() if state == WAIVED]:
        shown.append(f"kept only by what is allowed or left out: {', '.join(waived)}. That is no pass in the report")
    if trend := results["trend"]:
        shown.append(f"since the last evidence: {trend['score']:+g} points, {trend['new']} new, {trend['fixed']} fixed")
    return shown
