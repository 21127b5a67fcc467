# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Secrets in code."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from ..context import Context
from ..model import Judgement, Rule
from ..scopes import Site

#: A name that holds a secret: its last words, so that password_field and token_url are none.
_NAMED = re.compile(
    r"(^|_)(password|passwd|pwd|secret|secret_?key|api_?key|access_?key|private_?key|auth_?token|access_?token|token)$",
    re.IGNORECASE,
)
#: Texts that are keys whatever holds them.
_KEYS = re.compile(
    r"(?<![A-Za-z0-9])sk-(proj-|ant-)?[A-Za-z0-9_-]{20,}|AKIA[0-9A-Z]{16}|gh[pousr]_[A-Za-z0-9]{36}"
    r"|xox[abpr]-[A-Za-z0-9-]{10,}|AIza[0-9A-Za-z_-]{35}|-----BEGIN ([A-Z]+ )?PRIVATE KEY-----"
)
#: Tokens that a server gave out: in a test they are data.
_TOKENS = re.compile(
    r"eyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}|\b(Bearer|Basic|Token)\s+(?=\S*\d)(?=\S*[A-Za-z])[\w.~+/=-]{20,}$"
)
#: A password within a URL; `{…}` is what a format puts in.
_URL = re.compile(r"[a-z][a-z0-9+.-]*://[^\s/:@{}<>$%]*:(?P<password>[^\s/:@{}<>$%]+)@")
#: What stands for a secret and is none.
_PLACEHOLDER = re.compile(
    r"^$|^[<{$%\[(].*|^\*+$|^x+$|^\.\.\.$|^(none|null|your[-_ ].*|example.*|placeholder)$", re.IGNORECASE
)
#: A pattern that secrets are recognised by.
_PATTERN = re.compile(r"\^.*\$|.*(\]|\.|\\w)(\{\d+,?\d*\}|[+*]).*")


def _is_secret(name: str, value: ast.AST | None) -> bool:
    """Tell whether a name of a secret gets a text that may be one."""
    if not isinstance(value, ast.Constant) or not isinstance(value.value, str) or not _NAMED.search(name):
        return False
    text = value.value
    # "password" = the name of a field; "API_KEY" = the name of a variable of the environment; a sentence is a message
    # "user_password" = the name of another field
    other = text.isidentifier() and text.islower() and _NAMED.search(text)
    named = other or text.lower().replace("-", "_") == name.lower() or re.fullmatch(r"[A-Z][A-Z0-9_]*_[A-Z0-9_]+", text)
    if _PATTERN.fullmatch(text):
        return False
    return not named and not _PLACEHOLDER.match(text) and not re.search(r"\s", text) and len(text) >= 4


def _pairs(node: ast.AST) -> Iterator[tuple[str, ast.AST | None, bool]]:
    """Yield the names that a node gives a value, the value, and whether the node is about this one name alone."""
    if isinstance(node, ast.Assign):
        for target in node.targets:
            if name := _name(target):
                yield name, node.value, True
    elif isinstance(node, ast.AnnAssign):
        if name := _name(node.target):
            yield name, node.value, True
    elif isinstance(node, ast.keyword) and node.arg:
        yield node.arg, node.value, False
    elif isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        places = [*node.args.posonlyargs, *node.args.args]
        for item, value in zip(places[::-1], node.args.defaults[::-1], strict=False):
            yield item.arg, value, False
        for item, default in zip(node.args.kwonlyargs, node.args.kw_defaults, strict=True):
            yield item.arg, default, False
    elif isinstance(node, ast.Dict):
        for key, value in zip(node.keys, node.values, strict=True):
            if isinstance(key, ast.Constant) and isinstance(key.value, str):
                yield key.value, value, False


def _name(target: ast.AST) -> str:
    if isinstance(target, ast.Subscript) and isinstance(target.slice, ast.Constant):
        return str(target.slice.value)
    return target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")


#: Defaults of a setting that say that there is none.
_ABSENT = re.compile(
    r"-{2,}.*|\W*(not?|un)?[-_]?(missing|set|unset|known|unknown|undefined|invalid|required|empty|absent|found"
    r"|hidden|masked|redacted|available|given|provided|present|configured|supplied)\W*",
    re.IGNORECASE,
)
#: Objects that hold words for people.
_WORDS = re.compile(
    r"(^|_)(labels|messages|errors|titles|texts|translations|descriptions|hints|captions|placeholders)$",
    re.IGNORECASE,
)
#: Functions of a variable's name and its default.
_VARIABLES = frozenset({"os.getenv", "os.environ.get", "os.environ.setdefault", "os.environ.pop"})


def _defaulted(node: ast.Call, site: Site, context: Context) -> Iterator[tuple[str, ast.AST | None, bool]]:
    """Yield the variable of the environment that a call reads, with its default."""
    if _reads(node, site, context):
        key, value = node.args[-2:]
        text = str(value.value) if isinstance(value, ast.Constant) else ""
        # a token of a parser is a word
        if (
            isinstance(key, ast.Constant)
            and not (key.value == "token" and text.isalpha())
            and not _says_none(node, text)
        ):
            yield str(key.value), value, False
        return
    if len(node.args) + len(node.keywords) != 2 or not node.args or not isinstance(node.args[0], ast.Constant):
        return
    if context.name(node.func, site.scope) in _VARIABLES:
        yield str(node.args[0].value), node.args[1] if len(node.args) > 1 else node.keywords[0].value, False


def _says_none(node: ast.Call, text: str) -> bool:
    """Tell whether a default is no secret: `missing`, or a word of a table of labels or messages."""
    holder = node.func.value if isinstance(node.func, ast.Attribute) else node.args[0]
    return bool(_ABSENT.fullmatch(text) or _WORDS.search(_name(holder)))


def _reads(node: ast.Call, site: Site, context: Context) -> bool:
    """Tell whether a call reads a setting with a default: kwargs.pop("secret_key", "…"), getattr(conf, "…", "…")."""
    function, count = node.func, len(node.args)
    if isinstance(function, ast.Attribute):
        taken = function.attr in {"get", "pop", "setdefault"} and count == 2
        return taken and context.name(function, site.scope) not in _VARIABLES
    return count == 3 and isinstance(function, ast.Name) and context.name(function, site.scope) == "builtins.getattr"


#: Words that an example has in the place of a password.
_EXAMPLE = re.compile(
    r"(user|my|your|db|the)?[-_]?(pass|passwd|password|pwd|pw|secret|token|key)|p|x+|\*+|\.\.\.|…", re.I
)


def _opens(text: str) -> bool:
    """Tell whether a text has a password in a URL, or a token of a server."""
    url = _URL.search(text)
    word = url["password"] if url else ""
    return bool((url and not _PLACEHOLDER.match(word) and not _EXAMPLE.fullmatch(word)) or _TOKENS.search(text))


def _found_alone(value: ast.AST) -> bool:
    """Tell whether a text is a finding whatever name it has."""
    text = value.value if isinstance(value, ast.Constant) and isinstance(value.value, str) else ""
    return bool(_KEYS.search(text)) or _opens(text)


def _kept(site: Site, context: Context) -> Iterator[Judgement]:
    node = site.node
    if isinstance(node, ast.Constant):
        if not isinstance(node.value, str):
            return
        if not _KEYS.search(node.value) and (context.for_tests or not _opens(node.value)):
            return
        yield context.finding(
            node,
            "a password in a URL" if _URL.search(node.value) else "a key in the code",
            "a secret from the environment or a secret store",
            "read it from there, and replace it where it was valid: it is in the history",
            kind="key",
        )
        return
    for name, value, alone in _defaulted(node, site, context) if isinstance(node, ast.Call) else _pairs(node):
        if not _NAMED.search(name):
            continue
        if _is_secret(name, value) and value is not None and not _found_alone(value):
            if context.for_tests:
                continue  # a password of a test's own opens nothing
            yield context.finding(
                value,
                f"a text for {name}",
                "a secret from the environment or a secret store",
                "read it from there, and replace it where it was valid: it is in the history",
                kind="named",
            )
        elif alone and not isinstance(value, ast.Constant):
            yield None


RULES = (
    Rule(
        id="GS17",
        title="Keep secrets out of the code",
        severity="critical",
        source="17-gold-standards/SKILL.md, security",
        rationale="Whoever reads the repository has them, and its history keeps them.",
        bad={"app.py": "api_key = 'k7Zp-19xQ'\nurl = 'postgresql://app:Tr0ub4dor@db/shop'\n"},
        good={"app.py": "import os\napi_key = os.environ['OPENAI_API_KEY']\n"},
        on=(
            *(ast.Assign, ast.AnnAssign, ast.keyword, ast.Dict, ast.Constant, ast.Call),
            *(ast.FunctionDef, ast.AsyncFunctionDef),
        ),
        check=_kept,
        known="passwords in tests; secrets that are put together, or under names that say nothing",
    ),
)
