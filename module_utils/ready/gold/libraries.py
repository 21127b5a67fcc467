# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Libraries that imitate services, and what a test may control without imitating one."""

from __future__ import annotations

#: Library -> what it does in place of a service.
LIBRARIES = {
    **dict.fromkeys(("responses", "requests_mock", "httpretty", "respx", "pook", "mocket"), "answers HTTP requests"),
    **dict.fromkeys(("aioresponses", "pytest_httpx", "requests_testadapter"), "answers HTTP requests"),
    **dict.fromkeys(("vcr", "betamax"), "replays recorded answers"),
    **dict.fromkeys(("fakeredis", "mockredis", "birdisle"), "imitates Redis"),
    **dict.fromkeys(("mongomock", "mongomock_motor", "pymongo_inmemory_mock"), "imitates MongoDB"),
    **dict.fromkeys(("moto", "placebo"), "imitates AWS"),
    **dict.fromkeys(("mockfirestore", "mock_firestore"), "imitates Firestore"),
    **dict.fromkeys(("elasticmock", "openmock"), "imitates Elasticsearch"),
    **dict.fromkeys(("alchemy_mock", "mock_alchemy"), "imitates a database"),
    **dict.fromkeys(("fakesnow", "openai_responses"), "imitates a service"),
    **dict.fromkeys(("mockito", "flexmock", "doublex", "fudge", "minimock", "pretend", "mox3"), "makes mocks"),
}
#: Parts of libraries that otherwise reach services.
PARTS = {
    "httpx.MockTransport": "answers HTTP requests",
    "botocore.stub.Stubber": "imitates AWS",
    "testfixtures.Replacer": "replaces code",
    "testfixtures.Replace": "replaces code",
    "testfixtures.replace": "replaces code",
    "langchain_core.language_models.fake": "imitates a model",
    "langchain_core.language_models.fake_chat_models": "imitates a model",
    "langchain_core.language_models.FakeListLLM": "imitates a model",
    "langchain_core.language_models.FakeListChatModel": "imitates a model",
    "langchain_core.language_models.FakeStreamingListLLM": "imitates a model",
    "langchain_core.language_models.GenericFakeChatModel": "imitates a model",
    "langchain_core.embeddings.fake": "imitates a model",
    "langchain_core.embeddings.FakeEmbeddings": "imitates a model",
    "langchain_core.embeddings.DeterministicFakeEmbedding": "imitates a model",
    "langchain_community.llms.fake": "imitates a model",
    "langchain_community.embeddings.fake": "imitates a model",
    "langchain_community.embeddings.FakeEmbeddings": "imitates a model",
    "llama_index.core.llms.MockLLM": "imitates a model",
    "llama_index.core.MockEmbedding": "imitates a model",
    "pydantic_ai.models.test.TestModel": "imitates a model",
    "pydantic_ai.models.function.FunctionModel": "imitates a model",
}
#: Fixtures of plugins -> the library behind them: to ask for one is to use it.
PLUGIN_FIXTURES = {
    "requests_mock": "requests_mock",
    "respx_mock": "respx",
    "httpx_mock": "pytest_httpx",
    "vcr": "vcr",
    "vcr_cassette": "vcr",
    "betamax_session": "betamax",
    "betamax_recorder": "betamax",
}
#: Time, chance and environment: the standard allows to control them in every tier.
_CONTROLLED = {
    *("time", "datetime", "random", "uuid", "secrets", "zoneinfo", "calendar", "locale", "platform", "sys", "getpass"),
    *("os.environ", "os.getenv", "os.name", "os.urandom", "os.getpid", "os.cpu_count", "os.getcwd", "os.isatty"),
    *("asyncio.sleep", "builtins.input", "builtins.print", "freezegun", "time_machine"),
}
CONTROLLED_WORDS = {"sleep", "time", "now", "utcnow", "today", "monotonic", "perf_counter", "uuid4", "random"}
#: Functions of os.path that only compute.
PURE = {f"os.path.{name}" for name in ("join", "split", "splitext", "basename", "dirname", "normpath", "normcase")}
#: Parts of libraries that end an imitation.
ENDING = {"disable", "reset", "stop", "unstub"}
#: Modules of the standard library that reach files, processes and networks.
REACHING = {
    *("socket", "ssl", "smtplib", "http", "urllib", "subprocess", "asyncio", "sqlite3", "ftplib", "imaplib", "poplib"),
    *("xmlrpc", "select", "selectors", "os", "shutil", "pathlib", "io"),
}


def controlled(dotted: str) -> bool:
    """Tell whether a name stands for time, chance or the environment."""
    parts = dotted.split(".")
    if len(parts) > 1 and parts[-1] in {"sleep", "now", "utcnow", "today"}:  # the application's own clock
        return True
    if any(".".join(parts[: place + 1]) in _CONTROLLED for place in range(min(2, len(parts)))):
        return True
    return any(".".join(parts[place : place + 2]) in _CONTROLLED for place in range(len(parts) - 1)) or (
        len(parts) > 1 and (parts[-1] == "datetime" or parts[-2] in {"time", "datetime", "random", "uuid", "secrets"})
    )
