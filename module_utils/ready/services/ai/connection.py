# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AI service for applications: the variables of OpenAI's clients, and of what is built on them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from ...common.addresses import host_port
from ...connections.base import Connection, ServiceSettings, SettingsError, certificates, url_of
from ...connections.endpoints import public_address
from .faults import Steps

if TYPE_CHECKING:
    from openai import OpenAI

#: What a model is for -> the variable with its name.
_MODELS = {"chat": "OPENAI_MODEL", "embedding": "OPENAI_EMBEDDING_MODEL"}


#: Whether the endpoint is the stack's own: by its address alone that can't be seen.
_BACKEND, _OWN = "READY_AI_BACKEND", "local"
_AGAIN, _CHECK = "take the settings again: ./ready env --secrets --output .env", "./ready check says what is wrong"
#: What an application does about a fault; who runs the stack has other means.
STEPS = Steps(
    endpoint=_CHECK,
    key=_AGAIN,
    model=_AGAIN,
    dimensions=_AGAIN,
    address=f"{_AGAIN}; {_CHECK}",
    certificate=f"{_AGAIN}, with the certificate that OPENAI_CA_FILE names",
    limit="send fewer requests with this key, or ask for a higher limit",
    keys=_AGAIN,
    queue="send fewer requests at once",
    length="send a shorter prompt",
    size="send a smaller request",
    request=_CHECK,
)


class AIConnection(Connection):
    """`connect` gives an openai client."""

    title, port = "AI service", "api"
    variables = ("OPENAI_", "AZURE_OPENAI_", "READY_AI_")
    named_by = ("OPENAI_BASE_URL", "AZURE_OPENAI_ENDPOINT")

    def settings(self, service: Mapping[str, Any], passwords: Mapping[str, str], ca: str | None) -> dict[str, str]:
        """Return address, models and key. LangChain and LlamaIndex read the address as OPENAI_API_BASE.

        Azure's clients read other names; its models are deployments. LangChain reads OPENAI_PROXY.
        """
        version = service.get("api_version")
        if "base_url" in service:
            base = service["base_url"]
        else:
            host, port = public_address(service, "api")
            base = f"{'https' if ca else 'http'}://{host_port(host, port)}/v1"
        if version:
            values = {"AZURE_OPENAI_ENDPOINT": base, "OPENAI_API_VERSION": version}
        else:
            values = {"OPENAI_BASE_URL": base, "OPENAI_API_BASE": base}
        values[_BACKEND] = service["backend"]
        models = service["models"]
        values |= {variable: models[kind]["name"] for kind, variable in _MODELS.items() if kind in models}
        values |= {"OPENAI_CA_FILE": ca} if ca else {}
        values |= {"OPENAI_PROXY": service["proxy"]} if service.get("proxy") else {}
        key = "AZURE_OPENAI_API_KEY" if version else "OPENAI_API_KEY"
        return values | ({key: secret} if (secret := passwords.get("app")) else {})

    def read(self, values: Mapping[str, str]) -> ServiceSettings:
        """Take an address as somebody else's endpoint unless the settings say that it is the stack's own."""
        azure = not values.get("OPENAI_BASE_URL")
        address = "AZURE_OPENAI_ENDPOINT" if azure else "OPENAI_BASE_URL"
        found, url = ServiceSettings(), url_of(values, address, {"http", "https"})
        assert url
        host, found.tls = str(url.hostname), url.scheme == "https"
        found.port("api", host, url.port or (443 if found.tls else 80))
        found.login, found.password = "app", values.get("AZURE_OPENAI_API_KEY" if azure else "OPENAI_API_KEY", "")
        if path := values.get("OPENAI_CA_FILE"):
            found.authority = certificates("OPENAI_CA_FILE", path)
        named = {kind: values.get(variable) for kind, variable in _MODELS.items()}
        found.other = {"models": {kind: {"name": name} for kind, name in named.items() if name}}
        found.other["base_url"] = values[address].rstrip("/")
        if not azure and values.get(_BACKEND) == _OWN:
            found.other["backend"] = _OWN
            return found
        version = values.get("OPENAI_API_VERSION", "") if azure else ""
        if azure and not version:
            raise SettingsError("OPENAI_API_VERSION: found nothing beside AZURE_OPENAI_ENDPOINT, expected a version")
        proxy = values.get("OPENAI_PROXY", "")
        found.other |= {"backend": "external", "proxy": proxy, "api_version": version}
        return found

    def connect(self, probe: Any, **other: Any) -> OpenAI:
        """`other` goes to the client's `with_options`, such as `timeout` and `max_retries`."""
        probe.steps = STEPS
        client: OpenAI = probe.connect("app")
        return client.with_options(**({"max_retries": 2} | other))

    def ping(self, probe: Any, connection: OpenAI) -> object:
        """List the models, which costs no tokens; with a deadline for the whole answer, and without the retries."""
        return probe.models_by(connection.with_options(max_retries=0))
