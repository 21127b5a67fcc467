# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An agent: the AI service picks a tool for each question, the tool is called through MCP, its answer is used.

The model picks; nothing here reads a question. An external model is given `tools`. One that knows none is shown
questions that each tool answers, as MCP lists them, and answers by a JSON schema: the tool's name is the key, one of
the products that a tool listed is the value.
"""

from __future__ import annotations

import asyncio
import json
import random
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ready_frameworks.context import FAIL, PASS, UNKNOWN

OF, NEEDED, AT_ONCE, ROUNDS = 8, 6, 2, 4
#: Tokens of an answer at most; what a question may take before it is known; seconds for an answer.
ANSWER, ESTIMATE, SECONDS = 48, 700, 40.0
#: Wordings, none of them an example that the tools carry. {product} is drawn.
WORDINGS: dict[str, tuple[str, ...]] = {
    "price": (
        "How much does the {product} cost?",
        "Tell me the price of the {product}.",
        "What does one {product} cost?",
    ),
    "stock": ("How many pieces of the {product} are in stock?", "How many of the {product} do we have in stock?"),
    "company": ("Who delivers the {product}?", "Which company makes the {product}?"),
}
#: What examples are about: nothing that the catalogue sells.
THINGS = (
    "desk lamp",
    "garden hose",
    "wall clock",
    "kitchen table",
    "bike bell",
    "door mat",
    "tea kettle",
    "book shelf",
)
#: How an answer is made of what a tool said; no tool of the catalogue speaks of such figures.
SHOTS = (
    ('{"product": "desk lamp", "weight": 3.25, "unit": "kg"}', "What does the desk lamp weigh?", "3.25 kg"),
    ('{"product": "garden hose", "length": 1460, "unit": "cm"}', "How long is the garden hose?", "1460 cm"),
    ('{"product": "wall clock", "owner": "Rosa Lindt"}', "Who owns the wall clock?", "Rosa Lindt"),
)
Call = Callable[[str, dict[str, Any]], Awaitable[tuple[bool, Any]]]


@dataclass(frozen=True)
class Question:
    """What is asked, and what makes an answer right."""

    text: str
    tool: str
    product: str
    value: str


@dataclass
class Outcome:
    """What became of a question."""

    question: Question
    calls: list[tuple[str, str]] = field(default_factory=list)
    answer: str = ""

    @property
    def wrong(self) -> str:
        """What is wrong; "" when nothing is."""
        if not self.calls:
            return "no tool"
        tool, product = self.calls[-1]
        if tool != self.question.tool:
            return f"tool {tool}"
        if product.strip().lower() != self.question.product.lower():
            return "another product"
        return "" if said(self.question.value, self.answer) else "an answer without the tool's value"


class StopError(Exception):
    """The model can't be judged further, with the verdict that follows."""

    def __init__(self, verdict: str, text: str) -> None:
        super().__init__(text)
        self.verdict = verdict


def said(value: str, answer: str) -> bool:
    """Return whether an answer holds a value as a whole: 42 is not in 1420."""
    text = answer.lower().replace(",", "") if value.replace(".", "").isdigit() else answer.lower()
    before, found, after = text.partition(value.lower())
    return bool(found) and not before[-1:].isalnum() and not after[:1].isalnum()


def draw(drawn: random.Random, facts: Mapping[str, Mapping[str, str]]) -> list[Question]:
    """Return eight questions over all tools of WORDINGS, as evenly as it gets, in a random order."""
    tools = [tool for tool in WORDINGS for _ in range(-(-OF // len(WORDINGS)))][:OF]
    questions = []
    for number, tool in enumerate(tools):
        product = drawn.choice(sorted(facts[tool]))
        text = WORDINGS[tool][number % len(WORDINGS[tool])].format(product=product)
        questions.append(Question(text, tool, product, facts[tool][product]))
    drawn.shuffle(questions)
    return questions


def schema(tools: Sequence[str], products: Sequence[str]) -> dict[str, Any]:
    """Return the form of a choice: one tool as the key, one product as its value."""
    one = [
        {
            "type": "object",
            "properties": {tool: {"enum": list(products)}},
            "required": [tool],
            "additionalProperties": False,
        }
        for tool in tools
    ]
    return {"type": "json_schema", "json_schema": {"name": "call", "schema": {"anyOf": one}}}


ANSWER_SCHEMA = {
    "type": "json_schema",
    "json_schema": {
        "name": "answer",
        "schema": {
            "type": "object",
            "properties": {"answer": {"type": "string", "maxLength": 60}},
            "required": ["answer"],
            "additionalProperties": False,
        },
    },
}


def examples(tools: Mapping[str, Sequence[str]]) -> list[dict[str, str]]:
    """Return questions that the tools say they answer, each with the call that answers it."""
    messages: list[dict[str, str]] = []
    rounds = max((len(each) for each in tools.values()), default=0)
    every = [(tool, asked[number]) for number in range(rounds) for tool, asked in tools.items() if number < len(asked)]
    for number, (tool, text) in enumerate(every):
        thing = THINGS[number % len(THINGS)]
        messages.append({"role": "user", "content": text.format(product=thing)})
        messages.append({"role": "assistant", "content": json.dumps({tool: thing})})
    return messages


def chosen(text: str | None, tools: Sequence[str]) -> tuple[str, str] | None:
    """Return the tool and the product that a model answered, None for anything else."""
    try:
        found = json.loads(text or "")
    except ValueError:
        return None
    if not isinstance(found, dict) or len(found) != 1:
        return None
    tool, product = next(iter(found.items()))
    return (tool, product) if tool in tools and isinstance(product, str) else None


def using(text: str, result: Any) -> list[dict[str, str]]:
    """Return the messages that ask for an answer from what a tool said."""
    messages: list[dict[str, str]] = []
    for data, asked, answer in SHOTS:
        messages.append({"role": "user", "content": f"{data}\n{asked}"})
        messages.append({"role": "assistant", "content": json.dumps({"answer": answer})})
    messages.append({"role": "user", "content": f"{json.dumps(result)}\n{text}"})
    return messages


def judged(outcomes: Sequence[Outcome], model: str, tokens: int, how: str) -> dict[str, Any]:
    """Return the agent's result."""
    right = sum(not outcome.wrong for outcome in outcomes)
    enough = right >= NEEDED
    wrong = "; ".join(f"{each.question.text} {each.wrong}" for each in outcomes if each.wrong)
    kinds = Counter(each.wrong for each in outcomes if each.wrong)
    why = ", ".join(f"{kind}: {count}" for kind, count in kinds.most_common())
    detail = f"agent: found {right} of {OF} right ({why}); expected {NEEDED}. Next: another chat model (ai_models)"
    return {
        "verdict": PASS if enough else FAIL,
        "detail": "" if enough else detail,
        "right": right,
        "of": OF,
        "needed": NEEDED,
        "model": model,
        "tokens": tokens,
        "how": how,
        "wrong": wrong,
    }


def stopped(error: Exception, external: bool, left: str = "") -> StopError:
    """Return what an error of OpenAI's client means, and whose it is; its own words may hold a part of the key."""
    status, code = getattr(error, "status_code", None), str(getattr(error, "code", "") or "")
    kind = type(error).__name__
    whose = "external endpoint" if external else "AI service"
    if status in (401, 403):
        step = "./ready secrets set --service ai" if external else "./ready env --secrets gives the key that is valid"
        return StopError(FAIL, f"{whose}: found HTTP {status}; expected the key to be accepted. Next: {step}")
    if status == 429 and code == "insufficient_quota":
        return StopError(FAIL, f"{whose}: found its account without quota; expected answers. Next: raise its quota")
    if status == 429:
        step = "wait" if external else "wait, or set ai_rate higher, then ./ready up"
        return StopError(UNKNOWN, f"{whose}: found the key's rate limit used up (429); expected answers. Next: {step}")
    if status:
        return StopError(FAIL, f"{whose}: found HTTP {status}; expected answers. Next: ./ready check --service ai")
    if kind == "APITimeoutError":
        return StopError(
            UNKNOWN,
            f"{whose}: found no answer in time{left}; expected one. Next: ./ready check, or a host that is less busy",
        )
    return StopError(FAIL, f"{whose}: found no connection ({kind}); expected answers. Next: ./ready status")


@dataclass
class Model:
    """The AI service, with a count of tokens."""

    client: Any
    name: str
    external: bool
    cap: int
    deadline: float
    tokens: int = 0
    dearest: int = ESTIMATE

    async def ask(self, messages: list[Any], **more: Any) -> Any:
        """Return the model's message."""
        left = self.deadline - time.monotonic()
        if left < 1:
            raise StopError(UNKNOWN, "agent: found the time used up; expected eight answers. Next: a less busy host")
        if self.external and self.tokens + self.dearest * AT_ONCE > self.cap:
            found = f"found {self.tokens} tokens used and a limit of {self.cap}; expected room for eight answers"
            raise StopError(UNKNOWN, f"agent: {found}. Next: --tokens with more")
        client = self.client.with_options(max_retries=0, timeout=min(SECONDS, left))
        limit = {} if "max_completion_tokens" in more else {"max_tokens": 4 * ANSWER if self.external else ANSWER}
        options: dict[str, Any] = {"temperature": 0, **limit, **more}
        try:
            answer = await asyncio.to_thread(
                client.chat.completions.create, model=self.name, messages=messages, **options
            )
        except Exception as error:
            # Models that think before they answer know the limit by another name.
            if getattr(error, "param", None) == "max_tokens" and "max_completion_tokens" not in more:
                return await self.ask(messages, **more, max_completion_tokens=20 * ANSWER)
            raise stopped(error, self.external) from error
        used = getattr(getattr(answer, "usage", None), "total_tokens", 0) or 0
        self.tokens, self.dearest = self.tokens + used, max(self.dearest, used)
        choices = getattr(answer, "choices", None)
        if not choices:
            raise StopError(
                FAIL, "AI service: found an answer without choices; expected OpenAI's form. Next: ./ready check"
            )
        return choices[0].message


async def _each(work: Callable[[Outcome], Awaitable[None]], outcomes: Sequence[Outcome]) -> None:
    """Work on all, a few at a time."""
    free = asyncio.Semaphore(AT_ONCE)

    async def one(outcome: Outcome) -> None:
        async with free:
            await work(outcome)

    tasks = [asyncio.create_task(one(outcome)) for outcome in outcomes]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()


async def by_schema(model: Model, outcomes: Sequence[Outcome], listed: Sequence[Any], call: Call) -> None:
    """Have a model without tools pick, then answer: all choices first, for their prompts begin alike."""
    tools = {tool.name: (tool.meta or {}).get("questions", []) for tool in listed}
    tools = {name: asked for name, asked in tools.items() if asked}
    failed, answer = await call("products", {})
    products = [] if failed else list(answer.get("products", []))
    if not products:
        raise StopError(FAIL, "agent: found no list of products by the tool `products`; expected one")
    form, shown = schema(list(tools), products), examples(tools)
    results: dict[int, Any] = {}

    async def pick(outcome: Outcome) -> None:
        asked = {"role": "user", "content": outcome.question.text}
        message = await model.ask([*shown, asked], response_format=form)
        if found := chosen(message.content, list(tools)):
            outcome.calls.append(found)
            _, results[id(outcome)] = await call(found[0], {"product": found[1]})

    async def use(outcome: Outcome) -> None:
        if id(outcome) in results:
            messages = using(outcome.question.text, results[id(outcome)])
            outcome.answer = (await model.ask(messages, response_format=ANSWER_SCHEMA)).content or ""

    await _each(pick, outcomes)
    await _each(use, outcomes)


async def by_tools(model: Model, outcomes: Sequence[Outcome], listed: Sequence[Any], call: Call) -> None:
    """Have a model that knows tools call them until it answers."""
    tools = [
        {
            "type": "function",
            "function": {"name": tool.name, "description": tool.description, "parameters": tool.inputSchema},
        }
        for tool in listed
    ]
    system = "Answer in one short sentence, from what the tools say and nothing else."

    async def loop(outcome: Outcome) -> None:
        asked = {"role": "user", "content": outcome.question.text}
        messages: list[Any] = [{"role": "system", "content": system}, asked]
        for _ in range(ROUNDS):
            message = await model.ask(messages, tools=tools)
            if not message.tool_calls:
                outcome.answer = message.content or ""
                return
            messages.append(message.model_dump(exclude_none=True))
            for wanted in message.tool_calls:
                content = await _result(wanted, outcome)
                messages.append({"role": "tool", "tool_call_id": wanted.id, "content": content})

    async def _result(wanted: Any, outcome: Outcome) -> str:
        try:
            arguments = json.loads(wanted.function.arguments or "{}")
        except ValueError:
            return "the arguments are no JSON"
        if not isinstance(arguments, dict):
            return "the arguments are no object"
        if wanted.function.name != "products":
            outcome.calls.append((wanted.function.name, str(arguments.get("product", ""))))
        _, result = await call(wanted.function.name, arguments)
        return json.dumps(result)

    await _each(loop, outcomes)


async def ask_all(
    model: Model, questions: Sequence[Question], listed: Sequence[Any], call: Call, drawn: random.Random
) -> dict[str, Any]:
    """Return the agent's result: the questions asked, the tools in an order that is drawn."""
    outcomes = [Outcome(question) for question in questions]
    order = list(listed)
    drawn.shuffle(order)
    how = "tools" if model.external else "json_schema"
    try:
        await (by_tools if model.external else by_schema)(model, outcomes, order, call)
    except StopError as stop:
        return unjudged(stop.verdict, str(stop), model.name, model.tokens)
    return judged(outcomes, model.name, model.tokens, how)


def unjudged(verdict: str, detail: str, model: str = "", tokens: int = 0) -> dict[str, Any]:
    """Return the result of an agent that was not asked to its end."""
    return {
        "verdict": verdict,
        "detail": detail,
        "right": 0,
        "of": OF,
        "needed": NEEDED,
        "model": model,
        "tokens": tokens,
    }
