"""What a text must not hold, by what it is used for.

`sql`, `shell`, `template` and `script` look for code that breaks out of a text, and let honest text through: names
with apostrophes, sentences, prices. `path`, `word` and `argument` say what is allowed instead, for texts that become
part of a path, a query's identifiers or a command. `document` is for text that is stored and shown, and never
interpreted: it may hold code.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import PurePosixPath, PureWindowsPath
from urllib.parse import unquote


class InjectionError(ValueError):
    """A value that a rule rejects. The message names parameter and rule, and never the value."""


_SQL = re.compile(
    r"""
    ['"`)]\s*(?:or|and|xor|\|\||&&)\s*(?:not\s+)?['"`(]*(?:[\w.]+['"`)]*\s*(?:=|<|>|like\b|is\b|in\b|between\b)|\s*=)
    | ['"`)]\s*(?:or|and|\|\||&&)\s+(?:true|not\s+false|exists\s*\(|\d+\s*(?:--|\#|/\*|$))
    | \bunion\b(?:\s|/\*.*?\*/)+(?:all\s+|distinct\s+)?(?:\(\s*)?select\b
    | ;\s*(?:drop|alter|truncate|create|grant|revoke)\s+\w+
    | ;\s*(?:delete\s+from|insert\s+into|update\s+\w+\s+set|exec(?:ute)?\s+\w+|shutdown\b|select\s+\w)
    | ['"`)]\s*;\s*(?:--|\#|/\*|\w+)
    | ['"`)]\s*(?:--|/\*|\#\s*$)                                                                    # ' --
    | \b(?:pg_sleep|sleep|benchmark|waitfor\s+delay|load_file|xp_cmdshell)\s*[('"]
    """,
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_PROGRAMS = (
    r"(?:rm|cat|curl|wget|nc|ncat|bash|sh|zsh|python\d?|perl|ruby|chmod|chown|kill|sudo|su|id|whoami|ls|dd|mkfs|shutdown|reboot"
    r"|powershell|pwsh|cmd|cp|mv|touch|echo|env|printenv|ping|nslookup|tee|xargs|eval|exec)"
)
_SHELL = re.compile(
    rf"""
    \$\(\s*[^)\s][^)]*\)                          # $(id)
    | `\s*{_PROGRAMS}\b[^`]*`                     # `id`
    | \$\{{[A-Za-z_][^}}]*\}}                     # ${{HOME}}
    | (?:;|\|\|?|&&?|\n)\s*(?:/\S*/)?{_PROGRAMS}(?:\.exe)?(?:\s+[-/.~$|>&]|\s*$|\s*[;|&>]|\s+\S+\s*[;|&>])
    | >\s*/(?:dev|etc|tmp|var|home|root)\b
    | <\(|>\(
    """,
    re.IGNORECASE | re.VERBOSE,
)
_TEMPLATE = re.compile(
    r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}|<%.*?%>|\$\{.*?\}|#\{.*?\}|\{\s*\w+(?:\.__\w+__|\[[^\]]*__\w+__)", re.DOTALL
)
_SCRIPT = re.compile(
    r"<\s*/?\s*(?:script|iframe|object|embed|svg|base|meta|link|form)\b[^>]*>?"
    r"|<[^>]*\son[a-z]{3,}\s*=|(?:^|[\s\"'=(])(?:javascript|vbscript)\s*:|data\s*:\s*text/html",
    re.IGNORECASE,
)
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_WORD = re.compile(r"[^\W\d]\w{0,62}")
_ARGUMENT = re.compile(r"[\w.,:=@%+/][\w.,:=@%+/ -]*")


def _decoded(text: str) -> str:
    """Return a text as a server sees it that decodes %2e%2e twice."""
    for _ in range(2):
        text = unquote(text)
    return text


def _path(text: str) -> str:
    """Return why a text is no path within a directory."""
    plain = _decoded(text).replace("\\", "/")
    if "\0" in plain:
        return "a null byte"
    if plain.startswith(("/", "~")) or PureWindowsPath(plain).drive:
        return "a path from the root"
    if ".." in PurePosixPath(plain).parts:
        return "a step out of its directory"
    return "" if plain.strip() else "no path"


def _found(pattern: re.Pattern[str], what: str) -> Callable[[str], str]:
    def reason(text: str) -> str:
        return what if pattern.search(text) or pattern.search(_decoded(text)) else ""

    return reason


def _fits(pattern: re.Pattern[str], what: str) -> Callable[[str], str]:
    def reason(text: str) -> str:
        return "" if pattern.fullmatch(text) else what

    return reason


#: Name of a rule -> the function that returns why it rejects a text, "" where it does not.
RULES: dict[str, Callable[[str], str]] = {
    "sql": _found(_SQL, "code in SQL"),
    "shell": _found(_SHELL, "a command of a shell"),
    "template": _found(_TEMPLATE, "an expression of a template"),
    "script": _found(_SCRIPT, "a script"),
    "path": _path,
    "word": _fits(_WORD, "more than one word of letters, digits and _"),
    "argument": _fits(_ARGUMENT, "characters that a shell may interpret, or a leading -"),
    "document": _found(_CONTROL, "control characters"),
}
#: What a text is judged by that says nothing about its use.
USUAL = ("sql", "shell", "template", "script", "document")
