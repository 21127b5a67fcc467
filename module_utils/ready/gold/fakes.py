# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Hand-written fakes: classes of test code that stand in for a service's client.

A class is one when it has its own methods, is used, and either

- its name begins or ends with the word Fake, Mock, Stub or Dummy, and what it stands in for is a client or a service:
  the rest of its name ends so (FakeRedis, PaymentGatewayStub), or a base's name does, or the name that it is handed
  over by (client=StubThing());
- or it inherits from a client of the application or of a driver, and a method that reaches the service is replaced by
  one that calls nothing.

`MockTurtle`, `HammockOrder`, `DummyUser`, `CompleteSystemMock` are none: a turtle, an order, a user and a system are no
clients. Neither are exceptions, test cases, nodes, data classes of pydantic, and servers that answer over a real
connection.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator

from .context import Context
from .index import Class, Index
from .scopes import Scope, Site
from .sdk import is_node
from .tiers import is_test

_WORD = re.compile(r"[A-Z]+\d+|[A-Z]+(?=[A-Z][a-z])|[A-Z]?[a-z]+|[A-Z]+|\d+")
_MARKERS = {"fake", "mock", "mocked", "stub", "stubbed", "dummy", "faked"}
#: What a service's client is called, in the last word of its name.
SERVICES = {
    *("client", "clients", "db", "database", "connection", "conn", "session", "cursor", "driver"),
    *("connectionpool", "redis", "postgres", "postgresql", "neo4j", "chroma", "chromadb", "mongo"),
    *("mongodb", "mysql", "kafka", "rabbitmq", "broker", "queue", "cache", "repository", "repo"),
    *("gateway", "api", "service", "server", "http", "transport", "smtp", "mailer", "llm", "ai"),
    *("openai", "embedder", "embedding", "embeddings", "backend", "storage", "store", "bucket", "s3"),
    *("sqs", "sns", "producer", "consumer", "publisher", "socket", "websocket", "adapter"),
    *("elasticsearch", "opensearch", "stripe", "twilio", "slack", "sender", "notifier", "fetcher"),
    *("uploader", "dao", "downloader", "requests", "httpx", "boto3", "ldap", "vault", "minio"),
    *("ollama", "anthropic", "dataflow", "nexus"),
}
#: Modules of the standard library whose classes reach services.
_DRIVERS = {"smtplib", "imaplib", "poplib", "ftplib", "http.client", "xmlrpc", "sqlite3"}
#: Bases of classes that are no fakes, by how their names begin.
_OTHERS = (
    *("unittest.", "http.server.", "socketserver.", "wsgiref.", "aiohttp.web", "asyncio.", "threading.", "enum."),
    *("testcontainers.", "faker.", "pydantic.", "django.test.", "starlette.", "fastapi.", "flask.", "factory."),
    "types.",
)
_REACHING = re.compile(
    r"_*(?:async_|a)?(?:get|post|put|patch|delete|send|request|fetch|execute|query|run|call|connect|publish|consume|"
    r"charge|refund|create|save|load|store|read|write|search|find|list|upload|download|embed|complete|generate|chat|"
    r"invoke|set|ping|insert|update|upsert|add|notify|deliver|pay|submit|push|pull|receive)(?:_.*)?"
)
#: What a subclass may well say otherwise: nobody is asked for it.
_SETTING = re.compile(
    r".*_(?:headers?|url|urls|uri|config|settings|name|names|timeout|params|options|queryset|auth|token|display|fields)"
)
_OF_CONTAINERS = {
    *("append", "add", "pop", "get", "copy", "setdefault", "update", "extend", "remove", "clear", "items", "values"),
    *("keys", "popleft", "appendleft", "insert", "discard", "sort", "count", "index"),
}
_WRAPPED = {"inner", "wrapped", "real", "delegate", "original", "target", "proxied"}
_HARMLESS = set(dir(builtins)) - {"open", "super", "exec", "eval", "getattr", "compile", "__import__"}


def words(name: str) -> list[str]:
    """Return the words of a name in camel case, or with underscores, in lower case."""
    return [word.lower() for word in _WORD.findall(name)]


def means_service(name: str) -> bool:
    """Tell whether a name ends with what a service or its client is called: http_client, PaymentGateway, redis."""
    parts = words(name)
    while len(parts) > 1 and (parts[-1].isdigit() or parts[-1] in {"cls", "class", "factory", "type"}):
        parts.pop()
    return bool(parts) and (parts[-1] in SERVICES or "".join(parts[-2:]) in SERVICES)


def _rest(name: str) -> str | None:
    """Return what a name says besides Fake, Mock, Stub or Dummy at its beginning or its end; None without such."""
    parts = _WORD.findall(name)
    if len(parts) > 1 and parts[0].lower() in _MARKERS:
        return "".join(parts[1:])
    if len(parts) > 1 and parts[-1].lower() in _MARKERS:
        return "".join(parts[:-1])
    return None


#: Bases that make a class something else, where it names them itself: what implements a protocol may be a fake.
_FORMS = {
    f"{module}.{name}" for module in ("typing", "typing_extensions") for name in ("Protocol", "NamedTuple", "TypedDict")
}


def marked(dotted: str) -> bool:
    """Tell whether a class has Fake, Mock, Stub or Dummy in its name, at its beginning or end."""
    return _rest(dotted.rpartition(".")[2]) is not None


def _excluded(index: Index, dotted: str) -> bool:
    """Tell whether a class is of a kind that stands in for nothing."""
    for name in index.ancestors(dotted):
        last = name.rpartition(".")[2]
        if name.startswith(_OTHERS) or is_node([name]):
            return True
        if name != dotted and last.endswith(("Error", "Exception", "Warning", "TestCase", "Handler", "Container")):
            return True
    found = index.class_of(dotted)
    if found and any(base in _FORMS for base in found.bases):
        return True
    return dotted.endswith(("Error", "Exception", "Warning"))


def _methods(found: Class) -> set[str]:
    return {name for name in found.methods if not name.startswith("__") or name in {"__call__", "__getattr__"}}


def _of_service(index: Index, dotted: str) -> str:
    """Return the base of a class that is a client by its name, of the application or a library; "" without one."""
    for name in index.ancestors(dotted):
        split = index.split(name)
        if name == dotted or (split and is_test(split[0].path)):
            continue
        top = name.partition(".")[0]
        known = split or name.rpartition(".")[0] in _DRIVERS or top not in {*sys.stdlib_module_names, "builtins"}
        if "." in name and known and means_service(name.rpartition(".")[2]):
            return name
    return ""


def by_name(index: Index, dotted: str, handed: frozenset[str] = frozenset()) -> bool:
    """Tell whether a class is a fake by its name, its bases, and the names that it is handed over by."""
    rest = _rest(dotted.rpartition(".")[2])
    if rest is None:
        return False
    found, split = index.class_of(dotted), index.split(dotted)
    if not found or not split or not is_test(split[0].path):
        return False
    if not any(_methods(its) for its in _own(index, dotted)) or _excluded(index, dotted):
        return False
    return means_service(rest) or bool(_of_service(index, dotted)) or any(map(means_service, handed))


def _own(index: Index, dotted: str) -> Iterator[Class]:
    """Yield a class and what it inherits from, as far as the project's test code defines them."""
    for name in index.ancestors(dotted):
        split = index.split(name)
        if split and is_test(split[0].path) and (found := index.class_of(name)):
            yield found


class Fakes:
    """The fakes that one file defines, or takes from other files."""

    def __init__(self, context: Context) -> None:
        self.context = context
        self._handed: dict[str, set[str]] | None = None
        #: Dotted name of each fake that this file defines -> its definition.
        self.defined: dict[str, Site] = {}
        for site in context.collected.sites[ast.ClassDef]:
            assert isinstance(site.node, ast.ClassDef)
            dotted = context.class_name(site.node, site.scope)
            if marked(dotted):
                fake = dotted in self.handed and self.is_one(dotted)
            else:
                fake = bool(site.node.bases) and self._replaces(site, dotted) and dotted in self.handed
            if fake:
                self.defined[dotted] = site

    @property
    def handed(self) -> dict[str, set[str]]:
        """Return the classes that are called or handed over -> the names by which that happens."""
        if self._handed is None:
            self._handed = {}
            self._gather(self._handed)
        return self._handed

    def is_one(self, dotted: str) -> bool:
        """Tell whether a class, of whatever file, is a fake by its name and its use."""
        if not marked(dotted):
            return False
        return by_name(self.context.index, dotted, frozenset(self.handed.get(dotted, ())))

    def _gather(self, handed: dict[str, set[str]]) -> None:
        """Note which classes are called or handed over, and by which names."""
        sites = self.context.collected.sites
        fixtures: dict[Scope | None, str] = {}
        for kind in (ast.FunctionDef, ast.AsyncFunctionDef):
            for site in sites[kind]:
                marks = (getattr(item, "func", item) for item in site.node.decorator_list)  # type: ignore[attr-defined]
                if any(self.context.name(item, site.scope).endswith(".fixture") for item in marks):
                    fixtures[self.context.collected.inner[site.node]] = site.node.name  # type: ignore[attr-defined]
        for site in sites[ast.Call]:
            node = site.node
            assert isinstance(node, ast.Call)
            function = self.context.name(node.func, site.scope)
            _note(handed, function, "")
            if function in {"builtins.isinstance", "builtins.issubclass"}:
                continue
            for item in node.args:
                self._value(handed, item, "", site.scope)
            for word in node.keywords:
                self._value(handed, word.value, word.arg or "", site.scope)
            if fixture := fixtures.get(site.scope.enclosing("function")):
                _note(handed, function, fixture)
        for site in sites[ast.Assign]:
            assert isinstance(site.node, ast.Assign)
            for target in site.node.targets:
                name = target.attr if isinstance(target, ast.Attribute) else getattr(target, "id", "")
                if isinstance(target, ast.Attribute) or isinstance(site.node.value, ast.Call):
                    self._value(handed, site.node.value, name, site.scope)

    def _value(self, handed: dict[str, set[str]], node: ast.AST, name: str, scope: Scope) -> None:
        """Note the class of an instance, or a class itself, that is handed over by a name."""
        if isinstance(node, ast.Call):
            _note(handed, self.context.name(node.func, scope), name)
        elif isinstance(node, ast.Name | ast.Attribute):
            origin = self.context.name(node, scope) or self.context.origin(node, scope)
            _note(handed, origin.removesuffix("()"), name)

    def _replaces(self, site: Site, dotted: str) -> bool:
        """Tell whether a class inherits from a client, and replaces what reaches the service by what calls nothing."""
        node, context = site.node, self.context
        assert isinstance(node, ast.ClassDef)
        if not is_test(context.path) or _excluded(context.index, dotted) or not _of_service(context.index, dotted):
            return False
        return any(
            _REACHING.fullmatch(item.name) and not _SETTING.fullmatch(item.name) and _calls_nothing(item)
            for item in context.members(node)
        )


def _note(handed: dict[str, set[str]], dotted: str, name: str) -> None:
    if dotted and not dotted.startswith("builtins."):
        names = handed.setdefault(dotted, set())
        if name:
            names.add(name)


def _calls_nothing(node: ast.FunctionDef | ast.AsyncFunctionDef) -> bool:
    """Tell whether a method asks nobody: it calls its own containers, builtins and classes of answers at most."""
    for part in (part for item in node.body for part in ast.walk(item)):
        if isinstance(part, ast.Await | ast.Yield | ast.YieldFrom):
            return False
        if not isinstance(part, ast.Call):
            continue
        function = part.func
        name = function.attr if isinstance(function, ast.Attribute) else getattr(function, "id", "")
        if isinstance(function, ast.Attribute) and name in _OF_CONTAINERS:
            owner = function.value
            own = isinstance(owner, ast.Attribute) and getattr(owner.value, "id", "") == "self"
            if not own or means_service(owner.attr) or owner.attr.strip("_") in _WRAPPED:  # type: ignore[attr-defined]
                return False
        elif not (name[:1].isupper() or (isinstance(function, ast.Name) and name in _HARMLESS)):
            return False
    return True
