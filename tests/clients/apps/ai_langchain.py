"""LangChain on the stack's AI service: a chat model, and ChromaDB on the stack's embeddings (docs/roles/ai.md)."""

import warnings

warnings.simplefilter("ignore")

import httpx2  # noqa: E402
from ai_openai import VERIFY  # noqa: E402
from chroma_py import client  # noqa: E402
from langchain_chroma import Chroma  # noqa: E402
from langchain_core.documents import Document  # noqa: E402
from langchain_openai import ChatOpenAI, OpenAIEmbeddings  # noqa: E402
from settings import ENV, expect  # noqa: E402

GIVEN = {"base_url": ENV["OPENAI_BASE_URL"], "api_key": ENV["OPENAI_API_KEY"], "max_retries": 0}
FACTS = [
    "The garden hose costs 19 euros.",
    "Redis keeps its data in memory.",
    "The museum is closed on Mondays.",
]

# Without check_embedding_ctx_length=False it would fetch a tokenizer of OpenAI's from the Internet.
embeddings = OpenAIEmbeddings(
    model=ENV["OPENAI_EMBEDDING_MODEL"],
    check_embedding_ctx_length=False,
    http_client=httpx2.Client(verify=VERIFY),
    **GIVEN,
)
vectors = Chroma("clients_ai", embeddings, client=client())
vectors.add_documents([Document(page_content=fact) for fact in FACTS])
found = vectors.similarity_search("On which day can't I visit the exhibition?", k=1)
expect([each.page_content for each in found], FACTS[2:], "the nearest fact")
vectors.delete_collection()

chat = ChatOpenAI(
    model=ENV["OPENAI_MODEL"], temperature=0, max_tokens=24, http_client=httpx2.Client(verify=VERIFY), **GIVEN
)
answer = chat.invoke("What is the capital of France? One word.").content
expect("Paris" in answer, True, f"Paris in {answer!r}")
parts = [part.content for part in chat.stream("What is the capital of France? One word.") if part.content]
expect(len(parts) > 1, True, f"an answer in several parts, found {parts}")
