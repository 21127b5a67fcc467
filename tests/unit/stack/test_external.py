"""A service elsewhere: what the inventory may say of it, how its key is kept."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from ready.checks.make_probes import host_probes
from ready.connections.environment import SettingsError, services_in_settings
from ready.connections.settings import settings
from ready.preflight.data import check_secrets
from ready.secrets import redaction
from ready.secrets.certificates import make_authority
from ready.secrets.inventory_store import packed_external, read_ca
from ready.secrets.secrets_file import SecretsError
from ready.secrets.vault import SecretStore, provider_key, usable_key
from ready.services.ai.probe import AIProbe
from ready.stack import backends
from ready.stack.definitions import load_definitions, resolve_stack
from ready.stack.external import Secrets, key_fault, secrets_entry, unpack_secrets

from tests.unit import ai_stub
from tests.unit.secrets.test_certificates import NOW
from tests.unit.stack.endpoints import AZURE, EMPTY, GOOD, KEY, VARIABLES, faults, resolve


@pytest.mark.parametrize(
    "endpoint",
    [
        GOOD,
        AZURE,
        GOOD | {"base_url": "http://127.0.0.1:8080/v1/"},
        GOOD | {"base_url": "http://[::1]:8080/v1"},
        GOOD | {"base_url": "http://10.0.0.7/v1", "embedding": "", "dimensions": 0},
        GOOD | {"proxy": "http://proxy.example.org:3128"},
    ],
)
def test_endpoints_that_fit(endpoint: dict[str, Any]) -> None:
    """Such a service has no container, no port, and the account of applications alone."""
    stack = resolve(**endpoint)
    its = stack["external"]["ai"]
    assert (stack["services"], stack["sidecars"], stack["off"], stack["former"]) == ({}, {}, {}, ["ai"])
    assert (its["ports"], list(its["accounts"]), its["waivers"]) == ([], ["app"], [])
    assert its["base_url"] == endpoint["base_url"].rstrip("/")
    assert its["models"]["chat"] == {"name": endpoint["chat"]}
    assert ("embedding" in its["models"]) == bool(endpoint.get("embedding"))
    assert "sha256" not in json.dumps(its), "models of the container are none of the endpoint's"


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"base_url": ""}, "base_url: found no URL"),
        ({"base_url": "api.example.org/v1"}, "base_url: found no URL"),
        ({"base_url": "ftp://api.example.org"}, "base_url: found no URL"),
        ({"base_url": "https://[x"}, "base_url: found no URL"),
        ({"base_url": "https://host:0/v1"}, "base_url: found no URL"),
        ({"base_url": 7}, "base_url: found no URL"),
        ({"base_url": "http://api.example.org/v1"}, "found http to api.example.org, expected https"),
        ({"base_url": "http://8.8.8.8/v1"}, "found http to 8.8.8.8, expected https"),
        ({"base_url": "https://me:hush-hush@api.example.org/v1"}, "found a login, a query or a fragment"),
        ({"base_url": "https://api.example.org/v1?key=hush-hush"}, "found a login, a query or a fragment"),
        ({"proxy": "socks5://proxy:1"}, "proxy: found no URL"),
        ({"proxy": "http://me:hush-hush@proxy:1"}, "proxy: found a login"),
        ({"chat": ""}, "chat: found nothing, expected the name of the chat model"),
        ({"chat": "two words"}, "chat: found no name"),
        ({"dimensions": "many"}, "dimensions: found text"),
        ({"dimensions": True}, "dimensions: found"),
        ({"embedding": ""}, "dimensions: found 3 without embedding"),
        ({"ca": ["a"]}, "ca: found no path"),
        ({"api_version": "2024 10"}, "api_version: found no version"),
        (AZURE | {"base_url": "https://name.openai.azure.com/openai"}, "found a path, expected the address of the"),
        (AZURE | {"chat": ""}, "expected the deployment of the chat model"),
        ({"apikey": "hush-hush"}, "found the unknown key apikey, expected some of base_url"),
    ],
)
def test_endpoints_that_do_not_fit(changed: dict[str, Any], said: str) -> None:
    """Each is named with the next step, before anything is done, and no password is repeated."""
    found = faults(**(GOOD | changed))
    assert said in found
    assert "Nothing was changed. Next: docs/roles/ai.md" in found
    assert "hush" not in found


def test_an_endpoint_alone_changes_nothing() -> None:
    """Nothing is sent anywhere unless the backend says so."""
    stack = resolve_stack(load_definitions(), VARIABLES | {"ai_endpoint": GOOD})
    assert (list(stack["services"]), stack["external"], stack["former"]) == (["ai"], {}, [])


@pytest.mark.parametrize(("key", "good"), [(KEY, True), ("short", True), ("", False), ("a b", False), ("ä" * 9, False)])
def test_keys(key: str, good: bool) -> None:
    """A provider's key is whatever can stand in a header; a message repeats nothing of it."""
    assert (key_fault(key) == "") is good
    if not good:
        with pytest.raises(SecretsError) as refused:
            usable_key(key, "the prompt")
        assert "Next:" in str(refused.value)
        assert not key or key not in str(refused.value)


def test_a_key_out_of_a_file(tmp_path: Path) -> None:
    """One that others can read is refused."""
    path = tmp_path / "key"
    with pytest.raises(SecretsError, match="No such file"):
        provider_key(str(path))
    path.write_text(f"{KEY}\n")
    path.chmod(0o640)
    with pytest.raises(SecretsError, match="expected mode 0600"):
        provider_key(str(path))
    path.chmod(0o600)
    assert provider_key(str(path)) == KEY


@pytest.fixture
def store(tmp_path: Path) -> SecretStore:
    """Return secrets in which Ready's own passwords of the local service are, and no key."""
    made = SecretStore(tmp_path / "secrets.vault", tmp_path / "key")
    services = resolve_stack(load_definitions(), VARIABLES)["services"]
    made.make_missing("ready", services)
    return made


def test_the_key_and_the_local_passwords_stay_apart(store: SecretStore) -> None:
    """Neither is given to the other; rotation leaves the key alone, whatever backend there is."""
    external, local = resolve(**GOOD), resolve_stack(load_definitions(), VARIABLES)
    own = store.passwords("ready", "ai")
    assert store.unset("ready", external["external"]) == ["ai"], "a local password is no provider's key"
    store.data["stacks"]["ready"][secrets_entry("ai")] = {"app": {"password": KEY}}
    assert store.unset("ready", external["external"]) == []
    assert store.unusable("ready", external["external"]) == []
    assert store.missing("ready", external["services"]) == []
    assert store.slips("ready", external["services"]) == store.slips("ready", local["services"]) == []
    assert store.refused("ready", local["services"]) == [], "a key is held to no rule for passwords of our own"
    store.rotate("ready", local["services"], {})
    assert store.passwords("ready", secrets_entry("ai")) == {"app": KEY}
    assert store.passwords("ready", "ai")["app"] not in {KEY, own["app"]}
    store.data["stacks"]["ready"][secrets_entry("ai")]["app"]["password"] = "a b"
    (found,) = store.unusable("ready", external["external"])
    assert "./ready secrets set --service ai" in found
    assert "a b" not in found


def test_without_a_key_nothing_begins() -> None:
    """Preflight says who gives it."""
    stack = resolve(**GOOD) | {"secrets": {"missing": [], "unset": ["ai"], "path": "secrets.vault"}}
    check = check_secrets(stack, EMPTY)
    assert (check.verdict, check.next) == ("fail", "./ready secrets set --service ai asks for it")
    stack["secrets"]["unset"] = []
    assert check_secrets(stack, EMPTY).verdict == "pass"


def test_the_way_to_the_host(tmp_path: Path, store: SecretStore, monkeypatch: pytest.MonkeyPatch) -> None:
    """One string, which a module opens and holds: no message of its has the key."""
    monkeypatch.setattr(redaction, "_held", set())
    authority = make_authority("ready", NOW).certificate
    (tmp_path / "ca.pem").write_text(authority)
    store.data["stacks"]["ready"][secrets_entry("ai")] = {"app": {"password": KEY}}
    store.save()
    stack = resolve(**GOOD, ca=str(tmp_path / "ca.pem"))
    variables = {"ready_secrets_file": str(store.path), "ready_vault_key_file": str(store.key_file)}
    packed = packed_external(variables, lambda value: value, stack)
    assert unpack_secrets(packed) == {"ai": Secrets({"app": KEY}, authority)}
    assert redaction.redacted(f"it is {KEY}") == "it is ***"
    probe = host_probes(stack, 1.0, packed)["ai"]
    assert (probe.login("app")[1], probe.ca, probe.address("api")) == (KEY, authority, ("api.example.org", 443))
    assert host_probes(stack, 1.0) == {}, "nobody is asked without"
    assert packed_external({}, lambda value: value, resolve_stack(load_definitions(), VARIABLES)) == ""


@pytest.mark.parametrize(
    ("base_url", "proxy", "environment"),
    [
        ("https://api.example.org/v1", "", True),
        ("https://10.0.0.9/v1", "", False),
        ("http://localhost:8080/v1", "", False),
        ("https://10.0.0.9/v1", "http://10.0.0.1:3128", False),
        ("https://api.example.org/v1", "http://10.0.0.1:3128", False),
    ],
)
def test_the_way_to_the_endpoint(base_url: str, proxy: str, environment: bool) -> None:
    """The inventory's proxy, else the environment's, which know nothing of a private network."""
    its = AIProbe(resolve(**GOOD | {"base_url": base_url, "proxy": proxy})["external"]["ai"], {"app": KEY}).endpoint
    assert (its.base_url, its.proxy, its.proxies) == (base_url, proxy, environment)


@pytest.mark.parametrize("level", ["probe", "deep"])
def test_the_proxy_is_asked(level: str) -> None:
    """By the openai client and by the plain one: to the endpoint itself there is no way."""
    with ai_stub.running() as (stub, _):
        service = resolve(**GOOD | {"base_url": "http://10.255.255.1/v1", "proxy": f"http://127.0.0.1:{stub.port}"})
        probe = AIProbe(service["external"]["ai"], {"app": KEY}, 1.0)
        getattr(probe, level)()
        asked = [path for _, path, _, _ in stub.asked]
    assert asked
    assert all(path.startswith("http://10.255.255.1/v1/") for path in asked), asked


def test_without_the_key_the_check_says_who_gives_it() -> None:
    """Nothing is sent."""
    found = AIProbe(resolve(**GOOD)["external"]["ai"], {}).deep()
    assert all("./ready secrets set --service ai" in its["detail"] for its in found.values()), found


def test_a_ca_that_is_none(tmp_path: Path) -> None:
    """It is said on the controller, where the file is."""
    (tmp_path / "ca.pem").write_text("no certificate")
    for path, said in (("ca.pem", "no certificate in PEM"), ("other.pem", "No such file")):
        with pytest.raises(SecretsError, match=said):
            read_ca(str(tmp_path / path))


def test_settings_of_an_application() -> None:
    """What `./ready env` writes the connector reads back; Azure has other names."""
    stack = resolve(**GOOD, proxy="http://10.0.0.1:3128") | {"authorities": {"ai": "/a/ca.pem"}}
    values = settings(stack, {"ai": {"app": KEY}}, "container")
    assert values == {
        "READY_AI_BACKEND": "external",
        "OPENAI_BASE_URL": GOOD["base_url"],
        "OPENAI_API_BASE": GOOD["base_url"],
        "OPENAI_MODEL": "gpt-x",
        "OPENAI_EMBEDDING_MODEL": "embed-x",
        "OPENAI_CA_FILE": "/etc/ready/ca.pem",
        "OPENAI_PROXY": "http://10.0.0.1:3128",
        "OPENAI_API_KEY": KEY,
    }
    assert KEY not in settings(stack, None).values()
    del values["OPENAI_CA_FILE"]
    found = services_in_settings(values)
    assert found.services["ai"]["proxy"] == "http://10.0.0.1:3128"
    assert (found.services["ai"]["backend"], found.passwords["ai"]) == ("external", {"app": KEY})
    near = services_in_settings(values | {"OPENAI_BASE_URL": "http://10.0.0.9/v1"}).services["ai"]
    assert (near["backend"], near["base_url"]) == ("external", "http://10.0.0.9/v1"), "what has a proxy is elsewhere"
    values = settings(resolve(**AZURE), {"ai": {"app": KEY}})
    assert values == {
        "READY_AI_BACKEND": "external",
        "AZURE_OPENAI_ENDPOINT": AZURE["base_url"],
        "OPENAI_API_VERSION": "2024-10-21",
        "OPENAI_MODEL": "my-chat",
        "AZURE_OPENAI_API_KEY": KEY,
    }
    found = services_in_settings(values)
    assert found.services["ai"]["api_version"] == "2024-10-21"
    assert (found.services["ai"]["base_url"], found.passwords["ai"]) == (AZURE["base_url"], {"app": KEY})
    with pytest.raises(SettingsError, match="OPENAI_API_VERSION"):
        services_in_settings({name: value for name, value in values.items() if name != "OPENAI_API_VERSION"})


def test_who_is_asked() -> None:
    """Services of the stack, and those elsewhere; a stack from before has none of these."""
    assert list(backends.checked_services(resolve(**GOOD))) == ["ai"]
    assert backends.checked_services({"services": {"redis": {}}}) == {"redis": {}}
