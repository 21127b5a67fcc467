# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Every service with its parts: the one place where code names a new one. Nothing of them is loaded here.

What a service is as data is in services/<name>.yml; where else a new one goes is in CONTRIBUTING.md.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any, NamedTuple

from .common.lazy_table import Lazily

if TYPE_CHECKING:  # Ansible sends a module what import statements name; each package imports its parts so
    import chromadb.api
    import neo4j
    import openai
    import psycopg
    import redis

    from .services import ai as _ai  # noqa: F401
    from .services import chromadb as _chromadb  # noqa: F401
    from .services import gateway as _gateway  # noqa: F401
    from .services import neo4j as _neo4j  # noqa: F401
    from .services import postgresql as _postgresql  # noqa: F401
    from .services import redis as _redis  # noqa: F401

    class Methods:
        """What a type checker knows of the connector's methods; of a service that is missing here, its name alone."""

        def postgresql(self, **other: Any) -> psycopg.Connection[Any]: ...  # noqa: D102
        def neo4j(self, **other: Any) -> neo4j.Driver: ...  # noqa: D102
        def chromadb(self) -> chromadb.api.ClientAPI: ...  # noqa: D102
        def redis(self, **other: Any) -> redis.Redis: ...  # noqa: D102
        def ai(self, **other: Any) -> openai.OpenAI: ...  # noqa: D102


#: The modules in services/<name>/ that every service has.
ALWAYS = ("connection", "probe", "security_probe")
#: Class of a service -> its module, where that is not called as the class is.
MODULES = {"dump": "backup", "load": "backup"}


class Service(NamedTuple):
    """What knows a service: the modules in services/<name>/.

    Their classes are called by service and part: RedisSecurityProbe, in services/redis/security_probe.py. `backup` has
    two, RedisDump and RedisLoad; `fingerprint` and `template_values` have a function, such as redis_fingerprint.

    Attributes:
        name: as services/<name>.yml has it.
        more: its modules beside those that every service has. Without `backup` it keeps no data.
        things: what its data are counted in; "" for none.
    """

    name: str
    more: tuple[str, ...] = ()
    things: str = ""

    def has(self, part: str) -> bool:
        """Return whether it has a class or function, such as "dump"."""
        return MODULES.get(part, part) in (*ALWAYS, *self.more)


#: In the order in which they are shown.
SERVICES = (
    Service("postgresql", ("workload", "backup", "template_values"), things="rows"),
    Service("neo4j", ("workload", "backup", "fingerprint", "template_values"), things="nodes"),
    Service("chromadb", ("workload", "backup", "fingerprint"), things="vectors"),
    Service("redis", ("workload", "backup", "fingerprint"), things="keys"),
    Service("ai", ("workload",)),
    Service("gateway"),  # nothing is measured: it is a way to ChromaDB
)
NAMES = tuple(service.name for service in SERVICES)
#: Service -> what its data are counted in.
THINGS = {service.name: service.things for service in SERVICES if service.things}


def load(name: str, part: str) -> Any:
    """Return the class or function `part` of the service `name`; its module is imported now.

    Raises LookupError when the module has none of that name.
    """
    module = import_module(f".services.{name}.{MODULES.get(part, part)}", __package__)
    wanted = _plain(name + part)
    for attribute, value in vars(module).items():
        if _plain(attribute) == wanted:
            return value
    raise LookupError(f"{module.__name__}: found no {part} of {name}, expected one named as RedisDump is redis's dump")


def _plain(name: str) -> str:
    """Return a name without what differs between a service's name, a class's and a function's."""
    return name.replace("_", "").lower()


def table(part: str) -> Lazily[Any]:
    """Return service -> its class or function `part`, such as "probe", of the services that have one.

    It is imported when it is asked for, with the driver of its service and of no other.
    """
    return Lazily(tuple(service.name for service in SERVICES if service.has(part)), lambda name: load(name, part))
