# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The AI service's workload: questions whose right answers are known. It keeps nothing in the service."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, TypeVar

import httpx

from ...checks.probe import CheckError
from ...latency.workload import Operation, Workload, questions
from .client import TOKENS, Completion, ask, choose, embed, expect_whole
from .probe import ANSWER_SECONDS, THROTTLE, cosine

if TYPE_CHECKING:
    from openai import OpenAI

    from .probe import AIProbe

T = TypeVar("T")
#: Any model writes more than is asked for; each number makes another question, so none is answered from a cache.
_PROMPT = "Tell a long story about ship number {}."
#: Sentences, each with another one on the same subject, which must be the nearest to it of all these.
PAIRS = (
    ("A cat sleeps on the sofa.", "A kitten naps on the couch."),
    ("The bank raised its interest rates.", "Borrowing money has become more expensive."),
    ("It will rain all day tomorrow.", "The forecast says wet weather."),
    ("The train to Vienna leaves at noon.", "The railway departs from the station at twelve."),
    ("She plays the violin in an orchestra.", "He is a musician who performs symphonies."),
    ("The surgeon operates in the hospital.", "A doctor treats patients at the clinic."),
    ("Bread is baked with flour and yeast.", "The recipe needs dough and an oven."),
    ("The program crashes because of a bug.", "Software has an error in its code."),
)
LABELS = ("animals", "money", "weather")
_INSTRUCTION = """Choose the subject of a sentence. Answer with JSON.
Sentence: A bird sings.
{"label": "animals"}
Sentence: The price fell to 5 euros.
{"label": "money"}
Sentence: The sun shines.
{"label": "weather"}"""
#: Sentences to classify, and the only label that fits.
SUBJECTS = (
    ("The cat chases a mouse through the garden.", "animals"),
    ("The bank raised its interest rates.", "money"),
    ("It will rain in the evening.", "weather"),
    ("A dog barks at the horse.", "animals"),
    ("The invoice must be paid by Friday.", "money"),
    ("A storm brings wind and snow.", "weather"),
)
#: Tokens of a label's JSON; those that a prompt, its template included, and a sentence have at most.
_LABEL_TOKENS, _PROMPT_TOKENS, _TEXT_TOKENS = 24, 50, 20
#: Completions that count, and seconds for them of a quick model.
_COMPLETIONS, _SECONDS = 20, 15.0
#: Tokens, asked and answered, beyond which the workload sends an endpoint elsewhere no more in one check.
MOST_TOKENS = 10_000


def check_nearest(vector: Sequence[float], known: Sequence[Sequence[float]], right: int) -> None:
    """Raise CheckError unless the right one of the known vectors is the nearest.

    Args:
        vector: of the sentence asked for.
        known: a vector for each subject.
        right: number of the sentence's subject.
    """
    if len(vector) != len(known[right]):
        raise CheckError(f"an embedding: found {len(vector)} dimensions, expected {len(known[right])}")
    near = [cosine(vector, other) for other in known]
    if (found := near.index(max(near))) != right:
        raise CheckError(f"the nearest sentence: found {PAIRS[found][0]!r}, expected {PAIRS[right][0]!r}")


def check_label(answer: str, right: str) -> None:
    """Raise CheckError unless an answer is the right label, in the form that was asked for."""
    try:
        found = json.loads(answer)["label"]
    except (ValueError, LookupError, TypeError):
        raise CheckError(f"a label: found an answer of another form, expected {right}") from None
    if found != right:
        raise CheckError(f"a label: found {found if found in LABELS else 'another one'}, expected {right}")


class AIWorkload(Workload):
    """Operations: `completion` (streamed), `embedding` (a sentence), `classification` (a label by JSON schema)."""

    size = f"no data; {len(PAIRS)} pairs of sentences, {len(SUBJECTS)} to classify, completions of {TOKENS} tokens"

    def __init__(self, probe: AIProbe) -> None:
        super().__init__(probe)
        self.probe = probe
        self.timeout = max(self.timeout, ANSWER_SECONDS)
        self.client: OpenAI | None = None
        self.plain: httpx.Client | None = None
        self.known: list[list[float]] = []
        self.tokens = 0
        if probe.external:
            self.size += f"; {MOST_TOKENS} tokens at most"

    def open(self) -> None:
        """Open the kept connections."""
        self.client = self.probe.connect(self.probe.payer)
        self.plain = self._plain()

    def close(self) -> None:
        """Close them."""
        for kept in (self.client, self.plain):
            if kept is not None:
                kept.close()
        self.client = self.plain = None

    def _plain(self) -> httpx.Client:
        """Return an HTTP client of the account that is to meet its limit, where there is one.

        Several hundred cheap requests in a few seconds would use up another's limit.
        """
        account = THROTTLE if THROTTLE in self.probe.service["accounts"] else self.probe.payer
        return self.probe.http(self.probe.login(account)[1])

    def _answered(self, client: httpx.Client) -> None:
        """Ask for the models. That the limit is reached is an answer as well."""
        status = client.get(self.probe.url("/models")).status_code
        if status not in (200, 429):
            raise CheckError(f"the list of models: found HTTP {status}, expected 200, or 429 beyond the limit")

    def round_trip(self) -> None:
        """Ask for the models, or to be refused: either is an answer of the gateway's."""
        if self.plain is not None:
            self._answered(self.plain)

    def reconnect(self) -> None:
        """Connect, ask for the models, close."""
        with self._plain() as client:
            self._answered(client)

    def _ask(self, call: Callable[[OpenAI], tuple[T, int]], asked: str, tokens: int) -> T:
        """Return what a call returns, over the kept connection, or a new one after a fault.

        Args:
            call: what to ask; returns the answer and the tokens that it took, 0 where the endpoint does not count.
            asked: the same in words.
            tokens: that it may take; they count where the endpoint does not.
        """
        if self.probe.external and self.tokens + tokens > MOST_TOKENS:
            raise CheckError(f"{asked}: not sent, the {MOST_TOKENS} tokens of a check are used up")
        if self.client is None:
            self.client = self.probe.connect(self.probe.payer)
        self.tokens += tokens  # of a request that fails too
        try:
            found, counted = ask(self.client, call, asked, self.timeout, self.probe.steps)
        except CheckError:
            self.client.close()
            self.client = None
            raise
        self.tokens += counted - tokens if counted else 0
        return found

    def build(self) -> None:
        """Learn the vector of each subject; nothing is stored."""
        if not self.probe.has("embedding"):
            return
        model = self.probe.model("embedding")
        texts = [sentence for sentence, _ in PAIRS]
        self.known, counted = self.probe.ask(
            lambda client: embed(client, model, texts, self.probe.steps), "the embeddings to compare with"
        )
        self.tokens += counted or _TEXT_TOKENS * len(texts)

    def operations(self) -> list[Operation]:
        """Return the operations."""
        numbers = questions(4)
        probe, chat = self.probe, self.probe.model("chat")

        def complete(number: int) -> Completion:
            prompt = _PROMPT.format(numbers[number % len(numbers)])
            most = _PROMPT_TOKENS + 2 * TOKENS  # one that does not keep to its limit is cut off there

            def counted(client: OpenAI) -> tuple[Completion, int]:
                its = self.probe.complete(client, prompt)
                return its, its.prompt_tokens and its.prompt_tokens + its.tokens

            return self._ask(counted, "a completion", most)

        def embedded(number: int) -> list[float]:
            text, embedding = PAIRS[number % len(PAIRS)][1], self.probe.model("embedding")
            asked = partial(embed, model=embedding, texts=[text], steps=self.probe.steps)
            return self._ask(asked, "an embedding", _TEXT_TOKENS)[0]

        def classify(number: int) -> str:
            text = f"Sentence: {SUBJECTS[number % len(SUBJECTS)][0]}"
            return self._ask(
                lambda client: choose(client, chat, _INSTRUCTION, text, LABELS, _LABEL_TOKENS),
                "a classification",
                100 + _LABEL_TOKENS,
            )

        found = [
            Operation(
                "embedding",
                "embedding_p95_ms",
                embedded,
                lambda number, found: check_nearest(found, self.known, number % len(PAIRS)),
                judged=False,
                warm_up=2,
                few=24,
            ),
            Operation(
                "classification",
                "classification_p95_ms",
                classify,
                lambda number, found: check_label(found, SUBJECTS[number % len(SUBJECTS)][1]),
                judged=False,
                warm_up=1,
                few=len(SUBJECTS),
            ),
            # The last one, as it may be measured again: what the deadline cuts off is known by then.
            Operation(
                "completion",
                "completion_p95_ms",
                complete,
                lambda _, found: expect_whole(found, "a completion", probe.steps),
                warm_up=2,
                rate=1.0,
                few=_COMPLETIONS,
                seconds=_SECONDS,
                computes=True,
                beside={"first_token": lambda found: found.first_seconds},
            ),
        ]
        return [its for its in found if its.name != "embedding" or self.probe.has("embedding")]

    def remove(self) -> None:
        """Nothing was stored."""
