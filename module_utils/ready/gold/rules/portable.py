# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Texts that Windows reads in another way: paths, formats of dates, and what its console can't print."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..context import Context
from ..model import Judgement, Rule
from ..scopes import Scope, Site
from ..texts import text_of

#: Directories that are on every Unix, and what is no word of a URL.
_SURE = re.compile(r"/(tmp|var|etc|usr|proc)/[^\s|*^(<]|/tmp$")
#: Directories whose names are words of URLs as well: a path only where the name beside them says so.
_OPEN = re.compile(r"/(home|opt|dev|root|srv|mnt|var|etc|usr|proc)(/[^\s|*^(<]|$)")
_PATH_NAME = re.compile(
    r"(^|_)(path|paths|file|files|filename|filepath|dir|dirs|directory|directories|folder|location|cache|log|logs|home"
    r"|workdir|basedir|datadir|socket|sock|db|database|storage)(_|$)",
    re.IGNORECASE,
)
#: Names of what is no path of this machine: one of a URL, or within a container.
_OTHER_NAME = re.compile(
    r"(^|_)(url|uri|route|endpoint|prefix|pattern|regex|href|link|mount|mounts|volume|volumes|target|bind|binds|image"
    r"|container|docker|remote|unix|linux|posix|darwin|macos|shell|shebang|help|description|message|example|doc|docs)(_|$)"
    r"|(url|uri)$",
    re.IGNORECASE,
)
_OPENERS = frozenset(
    {"builtins.open", "io.open", "pathlib.Path", "pathlib.PosixPath", "sqlite3.connect", "logging.FileHandler"}
)
_PLACES = ("os.path.", "shutil.", "os.makedirs", "os.mkdir", "os.listdir", "os.remove", "os.chdir")
_COMMANDS = frozenset(f"subprocess.{name}" for name in ("run", "call", "check_call", "check_output", "Popen"))


def _placed(site: Site, context: Context) -> Iterator[Judgement]:
    """Judge texts that are paths: by the function that takes them, or by the name that they get."""
    node, scope = site.node, site.scope
    if isinstance(node, ast.Call):
        yield from _opened(node, site, context)
        return
    if context.for_tests:
        return  # data of a test
    for name, value in _named(node):
        if isinstance(value, ast.Constant | ast.JoinedStr | ast.BinOp) and _is_path(name, value, scope):
            yield None if context.never_on_windows(site) else _path(value, scope, context)


def _opened(node: ast.Call, site: Site, context: Context) -> Iterator[Judgement]:
    first = node.args[0] if node.args else None
    if not isinstance(first, ast.Constant | ast.JoinedStr | ast.BinOp | ast.List | ast.Tuple):
        return
    name = context.name(node.func, site.scope)
    if name in _COMMANDS:
        words = first.elts if isinstance(first, ast.List | ast.Tuple) else []
        for word in words[1:]:  # a command that Unix alone has is no path that is opened
            if _SURE.match(text_of(word, site.scope) or "") and not context.never_on_windows(site):
                yield _path(word, site.scope, context)
        return
    if name not in _OPENERS and not name.startswith(_PLACES):
        return
    text = text_of(first, site.scope)
    if text is None:
        return
    wrong = (_SURE.match(text) or _OPEN.match(text)) and not context.never_on_windows(site, "OSError")
    yield _path(first, site.scope, context) if wrong else None


def _path(node: ast.AST, scope: Scope, context: Context) -> Judgement:
    shown = (text_of(node, scope) or "").replace("\0", "…")
    return context.finding(
        node,
        f"the path {shown!r}",
        "a path that Windows has",
        "take it from a setting, from tempfile, or from Path.home()",
    )


def _named(node: ast.AST) -> Iterator[tuple[str, ast.AST | None]]:
    """Yield names and the values that they get: variables, defaults of parameters, keywords and keys."""
    if isinstance(node, ast.Assign):
        target = node.targets[0]
        yield getattr(target, "id", getattr(target, "attr", "")), node.value
    elif isinstance(node, ast.AnnAssign):
        yield getattr(node.target, "id", getattr(node.target, "attr", "")), node.value
    elif isinstance(node, ast.keyword):
        if node.arg and _PATH_NAME.search(node.arg):
            yield node.arg, node.value
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str) and _PATH_NAME.search(key.value):
                yield key.value, value
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        places = [*node.args.posonlyargs, *node.args.args]
        yield from ((item.arg, value) for item, value in zip(places[::-1], node.args.defaults[::-1], strict=False))
        yield from ((item.arg, value) for item, value in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True))


def _is_path(name: str, value: ast.AST, scope: Scope) -> bool:
    """Tell whether a name says that its text is a path, or the text itself does."""
    text = text_of(value, scope) or ""
    if not text.startswith("/") or _OTHER_NAME.search(name) or "\n" in text:
        return False
    return bool(_SURE.match(text) or (_PATH_NAME.search(name) and _OPEN.match(text)))


_OUTPUTS = frozenset({"builtins.print", "sys.stdout.write"})


def _printed(site: Site, context: Context) -> Iterator[Judgement]:
    node = site.node
    assert isinstance(node, ast.Call)
    if not isinstance(node.func, ast.Name | ast.Attribute) or context.name(node.func, site.scope) not in _OUTPUTS:
        return
    if any(word.arg == "file" and context.name(word.value, site.scope) != "sys.stdout" for word in node.keywords):
        return
    words = [word.value for word in node.keywords if word.arg in {"sep", "end"}]
    texts = [text for item in (*node.args, *words) if (text := text_of(item, site.scope)) is not None]
    if not texts:
        return
    strange = sorted({letter for text in texts if not text.isascii() for letter in text if _unprintable(letter)})
    if not strange or context.never_on_windows(site, "UnicodeEncodeError") or _reconfigured(context):
        yield None
    else:
        yield context.finding(
            node,
            f"output of {' '.join(f'U+{ord(letter):04X}' for letter in strange[:3])}, which is not in cp1252",
            "text that it can, or output in UTF-8",
            'call sys.stdout.reconfigure(encoding="utf-8") at the start, or set PYTHONUTF8=1',
        )


def _unprintable(letter: str) -> bool:
    try:
        letter.encode("cp1252")
    except UnicodeEncodeError:
        return True
    return False


def _reconfigured(context: Context) -> bool:
    """Tell whether the file switches its output to UTF-8: by reconfigure(), or by a writer in its place."""
    found = context.notes.get("reconfigured")
    if found is None:
        calls = context.collected.sites.get(ast.Call, [])
        found = context.notes["reconfigured"] = any(_switches(site, context) for site in calls)
    return found


def _switches(site: Site, context: Context) -> bool:
    node = site.node
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name | ast.Attribute | ast.Call):
        return False
    if isinstance(node.func, ast.Attribute) and node.func.attr == "reconfigure":
        return any(word.arg in {"encoding", "errors"} for word in node.keywords)
    inner = node.func.func if isinstance(node.func, ast.Call) else node.func  # codecs.getwriter("utf-8")(…)
    if context.name(inner, site.scope) not in {"io.TextIOWrapper", "codecs.getwriter", "builtins.open", "io.open"}:
        return False
    first = node.args[0] if node.args else None
    while isinstance(first, ast.Call | ast.Attribute):
        if context.name(first, site.scope) == "sys.stdout":
            return True
        first = first.func if isinstance(first, ast.Call) else first.value
    return False


#: A conversion that glibc alone knows, behind whole conversions: %%-d is a percent sign and -d.
_DATES = re.compile(r"(?:[^%]|%[^-])*?%-[dmHIMSjyeklUW]", re.DOTALL)
#: The same within the braces of a format.
_FORMAT = re.compile(r"\{[^{}:]*:((?:[^{}])*)\}")


def _dated(site: Site, context: Context) -> Iterator[Judgement]:
    for node, text in _formats(site, context):
        if _DATES.match(text) and not context.never_on_windows(site, "ValueError"):
            yield context.finding(
                node,
                f"the date format {text!r}",
                "a format that Windows knows",
                "strip the zero in Python: %-d is glibc's",
            )
        else:
            yield None


def _formats(site: Site, context: Context) -> Iterator[tuple[ast.AST, str]]:
    """Yield the formats of dates at a place: of strftime(), format() and f-strings."""
    node, scope = site.node, site.scope
    if isinstance(node, ast.FormattedValue):
        text = text_of(node.format_spec, scope) if node.format_spec else None
        if text and "%" in text and not text.endswith("%"):
            yield node, text
        return
    assert isinstance(node, ast.Call)
    if isinstance(node.func, ast.Attribute) and node.func.attr == "strftime":
        yield from ((item, text) for item in node.args if (text := text_of(item, scope)) is not None)
    elif isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        for text in _FORMAT.findall(text_of(node.func.value, scope) or ""):
            if "%" in text and not text.endswith("%"):
                yield node, text
    elif isinstance(node.func, ast.Name) and len(node.args) == 2 and node.func.id == "format":
        text = text_of(node.args[1], scope)
        if text and "%" in text and context.name(node.func, scope) == "builtins.format" and not text.endswith("%"):
            yield node.args[1], text


_SOURCE = "ADR-009, Windows compatibility; Python library reference, Availability"
RULES = (
    Rule(
        id="WIN04",
        title="Take paths from settings",
        severity="medium",
        source=_SOURCE,
        rationale="Windows has no /tmp and no /etc: such a path lands at the root of the current drive.",
        bad={"app.py": "with open('/tmp/prices.csv', encoding='utf-8') as handle:\n    handle.read()\n"},
        good={"app.py": "with open('data/prices.csv', encoding='utf-8') as handle:\n    handle.read()\n"},
        on=(
            *(ast.Call, ast.Assign, ast.AnnAssign, ast.keyword, ast.Dict),
            *(ast.FunctionDef, ast.AsyncFunctionDef),
        ),
        check=_placed,
        known="defaults that are handed to a function under no name, as argparse and os.environ.get take them",
    ),
    Rule(
        id="WIN05",
        title="Print what a console in cp1252 can print, or switch it to UTF-8",
        severity="low",
        source="the validation report behind ADR-009: emoji and cp1252",
        rationale="The first emoji ends the program with UnicodeEncodeError.",
        bad={"app.py": "print('\u2705 done')\n"},
        good={"app.py": "print('done: 5 \u20ac')\n"},
        on=(ast.Call,),
        check=_printed,
        known="text that other modules hold, or that is known at run time alone",
    ),
    Rule(
        id="WIN06",
        title="Format dates as every platform does",
        severity="medium",
        source="Python library reference, strftime: formats are the platform's",
        rationale="%-d is an extension of glibc: Windows raises ValueError.",
        bad={"app.py": "label = when.strftime('%-d %B')\n"},
        good={"app.py": "label = when.strftime('%d %B').lstrip('0')\n"},
        on=(ast.Call, ast.FormattedValue),
        check=_dated,
    ),
)
