# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The agent of `frameworks`: what counts as right, what a model is shown, and when it is not judged."""

from __future__ import annotations

import asyncio
import json
import random
import re
from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from catalogue.tools import TOOLS
from ready_frameworks import agent, mcp_data
from ready_frameworks.mcp_data import Data

LISTED = [
    SimpleNamespace(
        name=tool.name,
        description=tool.says,
        inputSchema={"type": "object"},
        meta={"questions": list(tool.questions)} if tool.questions else None,
    )
    for tool in TOOLS
]
OWN = {wording: tool for tool, wordings in agent.WORDINGS.items() for wording in wordings}


def data(seed: int = 1) -> Data:
    """Return a run's data."""
    return mcp_data.draw(random.Random(seed))


def knows(text: str, its: Data) -> tuple[str, str]:
    """Return what a good model would pick."""
    product = next(each for each in its.products if each in text)
    return OWN[text.replace(product, "{product}")], product


class Answers:
    """Where a client's requests end: a function answers in place of a model."""

    def __init__(self, answer: Callable[[list[Any], dict[str, Any]], Any], tokens: int = 100) -> None:
        self.answer, self.tokens, self.asked = answer, tokens, list[list[Any]]()
        self.chat = SimpleNamespace(completions=SimpleNamespace(create=self.create))

    def with_options(self, **_: Any) -> Answers:
        """Return the client."""
        return self

    def create(self, messages: list[Any], **options: Any) -> Any:
        """Answer a request."""
        assert options["temperature"] == 0
        self.asked.append(list(messages))
        found = self.answer(messages, options)
        message = found if not isinstance(found, str) else SimpleNamespace(content=found, tool_calls=None)
        usage = SimpleNamespace(total_tokens=self.tokens)
        return SimpleNamespace(choices=[SimpleNamespace(message=message)], usage=usage)


def outcome(client: Answers, its: Data, external: bool = False, cap: int = 20000, seed: int = 1) -> dict[str, Any]:
    """Return what the agent comes to."""

    async def call(name: str, arguments: dict[str, Any]) -> tuple[bool, Any]:
        return False, its.answers(name, arguments.get("product", ""))

    model = agent.Model(client, "m", external, cap, float("inf"))
    drawn = random.Random(seed)
    return asyncio.run(agent.ask_all(model, agent.draw(drawn, its.facts), LISTED, call, drawn))


def picks(its: Data, constant: str = "") -> Callable[[list[Any], dict[str, Any]], str]:
    """Return a model that picks well, or always one tool; it repeats what the tool said."""

    def answer(messages: list[Any], options: dict[str, Any]) -> str:
        last = messages[-1]["content"]
        if options["response_format"] == agent.ANSWER_SCHEMA:
            return json.dumps({"answer": last.splitlines()[0]})
        tool, product = knows(last, its)
        return json.dumps({constant or tool: product})

    return answer


def test_a_model_that_picks_well_is_right_in_all_questions() -> None:
    """A model that picks well is right in all questions."""
    its = data()
    found = outcome(Answers(picks(its)), its)
    assert (found["verdict"], found["right"], found["of"], found["how"]) == ("pass", 8, 8, "json_schema")
    assert found["tokens"] == 16 * 100


@pytest.mark.parametrize("tool", ["price", "stock", "company", "similar"])
def test_always_the_same_tool_is_a_failure(tool: str) -> None:
    """Always the same tool is a failure."""
    its = data()
    found = outcome(Answers(picks(its, tool)), its)
    assert found["verdict"] == "fail"
    assert found["right"] <= 3
    assert re.fullmatch(r"agent: found \d of 8 right \(.*\); expected 6\. Next: .*", found["detail"])


@pytest.mark.parametrize("text", ["", "nonsense", "[]", "{}", '{"price": 1}', '{"nope": "claw hammer"}', "null", "{"])
def test_nonsense_is_a_failure(text: str) -> None:
    """Nonsense is a failure."""
    found = outcome(Answers(lambda messages, options: text), data())
    assert (found["verdict"], found["right"]) == ("fail", 0)


def test_an_answer_without_the_value_of_the_tool_is_wrong() -> None:
    """An answer without the value of the tool is wrong."""
    its, good = data(), picks(data())
    wrong = json.dumps({"answer": "It costs 1.00 EUR."})
    found = outcome(Answers(lambda m, o: wrong if o["response_format"] == agent.ANSWER_SCHEMA else good(m, o)), its)
    assert (found["verdict"], found["right"]) == ("fail", 0)


def test_the_model_is_shown_no_value_before_a_tool_has_said_it() -> None:
    """The model is shown no value before a tool has said it."""
    for seed in range(20):
        its, client = data(seed), Answers(picks(data(seed)))
        outcome(client, its, seed=seed)
        first = [json.dumps(asked) for asked in client.asked[: agent.OF]]
        values = [value for facts in its.facts.values() for value in facts.values()]
        assert not [value for value in values for text in first if agent.said(value, text)]


def test_questions_are_over_all_tools_and_none_is_an_example() -> None:
    """Questions are over all tools and none is an example."""
    shown = {question for tool in TOOLS for question in tool.questions}
    assert not shown & set(OWN)
    for seed in range(20):
        asked = agent.draw(random.Random(seed), data(seed).facts)
        assert len(asked) == agent.OF
        assert sorted(sum(each.tool == tool for each in asked) for tool in agent.WORDINGS) == [2, 3, 3]


def test_a_value_counts_as_a_whole() -> None:
    """A value counts as a whole."""
    assert agent.said("42", "There are 42 pieces.")
    assert agent.said("1420", "1,420 pieces")
    assert not agent.said("42", "There are 1420 pieces.")
    assert not agent.said("17.50", "It costs 17.5 EUR")
    assert agent.said("Kemike Supply", "it is kemike supply.")
    assert not agent.said("42", "")


def by_tools(its: Data) -> Callable[[list[Any], dict[str, Any]], Any]:
    """Return a model that knows tools."""

    def answer(messages: list[Any], options: dict[str, Any]) -> Any:
        assert {each["function"]["name"] for each in options["tools"]} == {tool.name for tool in TOOLS}
        if messages[-1]["role"] == "tool":
            return str(messages[-1]["content"])
        tool, product = knows(messages[-1]["content"], its)
        function = SimpleNamespace(name=tool, arguments=json.dumps({"product": product}))
        call = SimpleNamespace(id="1", function=function)
        return SimpleNamespace(content=None, tool_calls=[call], model_dump=lambda **_: {"role": "assistant"})

    return answer


def test_an_external_model_is_given_tools() -> None:
    """An external model is given tools."""
    its = data()
    found = outcome(Answers(by_tools(its)), its, external=True)
    assert (found["verdict"], found["right"], found["how"]) == ("pass", 8, "tools")


def test_tokens_of_an_external_model_have_a_limit() -> None:
    """Tokens of an external model have a limit."""
    its = data()
    found = outcome(Answers(by_tools(its), tokens=500), its, external=True, cap=3000)
    assert found["verdict"] == "insufficient_data"
    assert found["tokens"] <= 3000
    assert "a limit of 3000" in found["detail"]
    assert outcome(Answers(picks(its), tokens=5000), its, cap=3000)["verdict"] == "pass"  # its own service has none


def test_tokens_are_estimated_by_the_dearest_answer() -> None:
    """Two questions at once, each of which takes more than is usual, don't go beyond the limit."""
    its = data()
    found = outcome(Answers(by_tools(its), tokens=1500), its, external=True, cap=8000)
    assert found["verdict"] == "insufficient_data"
    assert found["tokens"] <= 8000
    assert "--tokens" in found["detail"]


class APIError(Exception):
    """An error with the fields of OpenAI's."""

    def __init__(self, status: int, code: str = "") -> None:
        super().__init__("sk-part-of-a-key")
        self.status_code, self.code = status, code


class APITimeoutError(Exception):
    """Named as OpenAI's."""


@pytest.mark.parametrize(
    ("error", "verdict", "word"),
    [
        (APIError(401), "fail", "key to be accepted"),
        (APIError(429), "insufficient_data", "rate limit used up"),
        (APIError(429, "insufficient_quota"), "fail", "quota"),
        (APIError(503), "fail", "HTTP 503"),
        (ConnectionRefusedError("refused"), "fail", "no connection"),
        (APITimeoutError("late"), "insufficient_data", "no answer in time"),
    ],
)
@pytest.mark.parametrize("external", [True, False])
def test_whose_an_error_is(error: Exception, verdict: str, word: str, external: bool) -> None:
    """Whose an error is."""

    def refuse(messages: list[Any], options: dict[str, Any]) -> str:
        raise error

    found = outcome(Answers(refuse), data(), external)
    assert found["verdict"] == verdict
    assert word in found["detail"]
    assert ("external endpoint" if external else "AI service") in found["detail"]
    assert "Next: " in found["detail"]
    assert "sk-part" not in found["detail"]


def test_the_data_of_two_runs_differ_and_name_their_nearest() -> None:
    """The data of two runs differ and name their nearest."""
    one, two = data(1), data(2)
    assert one.word != two.word
    for tool, facts in one.facts.items():
        assert len(set(facts.values())) == len(mcp_data.PRODUCTS)
        assert facts != two.facts[tool]
    for product in one.products:
        nearest = one.nearest(product)
        assert len(nearest) == 3
        assert product not in nearest
