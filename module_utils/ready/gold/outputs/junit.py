# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Findings as JUnit XML: a test case per rule and file that it applies to."""

from __future__ import annotations

from xml.etree.ElementTree import Element, SubElement, indent, tostring

from ..engine import Result
from ..shown import printable
from .code import path_in, repository

#: What XML 1.0 has no place for, beside what is never shown.
_FORBIDDEN = str.maketrans("\ufffe\uffff", "\ufffd\ufffd")


def _clean(text: str) -> str:
    return printable(text).translate(_FORBIDDEN)


def junit(result: Result) -> str:
    """Return the XML."""
    suite = Element("testsuite", name="gold-standards")
    base = repository(result.root)
    tests = failures = 0
    for judged in result.judged:
        path = _clean(path_in(base, result.root, judged.path))
        for name in sorted(judged.tallies):
            tests += 1
            case = SubElement(suite, "testcase", classname=path, name=name, file=path)
            for item in (item for item in judged.findings if item.base == name):
                failures += 1
                message = f"{path}:{item.line}: {_clean(item.message)}"
                SubElement(case, "failure", type=item.rule, message=message).text = message
    suite.set("tests", str(tests))
    suite.set("failures", str(failures))
    suite.set("time", f"{result.seconds:.2f}")
    root = Element("testsuites")
    root.append(suite)
    indent(root)
    # ASCII is UTF-8 too, whatever the terminal or the file that it goes to has
    return f"<?xml version='1.0' encoding='utf-8'?>\n{tostring(root, encoding='us-ascii').decode('ascii')}"
