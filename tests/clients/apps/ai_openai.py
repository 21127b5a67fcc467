"""OpenAI's client: models, a chat, a stream, JSON by a schema, embeddings, a wrong key."""

import json
import ssl

import httpx2
import openai
from settings import ENV, expect

VERIFY = ssl.create_default_context(cafile=ENV["OPENAI_CA_FILE"]) if "OPENAI_CA_FILE" in ENV else True
COLOURS = {"type": "object", "properties": {"colour": {"enum": ["red", "blue"]}}, "required": ["colour"]}
QUESTION = [{"role": "user", "content": "What is the capital of France? One word."}]


def client(key: str = ENV["OPENAI_API_KEY"]) -> openai.OpenAI:
    """Return a client of the stack's AI service."""
    return openai.OpenAI(
        base_url=ENV["OPENAI_BASE_URL"], api_key=key, http_client=httpx2.Client(verify=VERIFY), max_retries=0
    )


def main() -> None:
    """Be an application."""
    its, model = client(), ENV["OPENAI_MODEL"]
    found = {each.id for each in its.models.list()}
    expect({model, ENV["OPENAI_EMBEDDING_MODEL"]} <= found, True, f"both models in {sorted(found)}")
    answer = its.chat.completions.create(model=model, messages=QUESTION, max_tokens=24, temperature=0)
    expect("Paris" in answer.choices[0].message.content, True, f"Paris in {answer.choices[0].message.content!r}")
    expect(answer.usage.completion_tokens > 0, True, "tokens of an answer")
    parts = its.chat.completions.create(model=model, messages=QUESTION, max_tokens=24, temperature=0, stream=True)
    texts = [part.choices[0].delta.content for part in parts if part.choices and part.choices[0].delta.content]
    expect(len(texts) > 1, True, f"an answer in several parts, found {texts}")
    expect("".join(texts), answer.choices[0].message.content, "the same answer, streamed")
    schema = {"type": "json_schema", "json_schema": {"name": "colour", "schema": COLOURS, "strict": True}}
    said = its.chat.completions.create(
        model=model,
        messages=[{"role": "user", "content": "Which colour has the sky?"}],
        response_format=schema,
        max_tokens=24,
    )
    expect(json.loads(said.choices[0].message.content)["colour"] in {"red", "blue"}, True, "JSON by a schema")
    vectors = its.embeddings.create(model=ENV["OPENAI_EMBEDDING_MODEL"], input=["an apple", "a pear", "a lorry"]).data
    expect([len(each.embedding) for each in vectors], [384] * 3, "dimensions of embeddings")
    apple, pear, lorry = (each.embedding for each in vectors)

    def alike(one: list[float], other: list[float]) -> float:
        return sum(x * y for x, y in zip(one, other, strict=True))

    expect(alike(apple, pear) > alike(apple, lorry), True, "an apple is more like a pear than like a lorry")
    raw = its.embeddings.with_raw_response.create(model=ENV["OPENAI_EMBEDDING_MODEL"], input="x")
    expect(int(raw.headers["x-ratelimit-remaining-requests"]) >= 0, True, "what remains of the rate limit")
    try:
        client("wrong").models.list()
    except openai.AuthenticationError as error:
        expect(error.status_code, 401, "the status with a wrong key")
    else:
        raise AssertionError("a wrong key: found models, expected 401")
    try:
        its.chat.completions.create(model=model, messages=[{"role": "user", "content": "word " * 20000}])
    except openai.BadRequestError as error:
        expect(error.status_code, 400, "the status of a prompt that is longer than the context")
    else:
        raise AssertionError("a prompt longer than the context: found an answer, expected 400")


if __name__ == "__main__":
    main()
