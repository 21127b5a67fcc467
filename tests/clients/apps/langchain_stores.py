"""LangChain's stores: chat histories in Redis and PostgreSQL, a cache in Redis, a graph in Neo4j, Chroma."""

import uuid
import warnings

warnings.simplefilter("ignore")

import psycopg  # noqa: E402
import redis  # noqa: E402
from chroma_py import client  # noqa: E402
from langchain_chroma import Chroma  # noqa: E402
from langchain_community.cache import RedisCache  # noqa: E402
from langchain_community.chat_message_histories import RedisChatMessageHistory  # noqa: E402
from langchain_core.documents import Document  # noqa: E402
from langchain_core.embeddings import DeterministicFakeEmbedding  # noqa: E402
from langchain_core.messages import AIMessage, HumanMessage  # noqa: E402
from langchain_core.outputs import Generation  # noqa: E402
from langchain_neo4j import Neo4jGraph  # noqa: E402
from langchain_postgres import PostgresChatMessageHistory  # noqa: E402
from neo4j_py import TLS  # noqa: E402
from settings import ENV, expect  # noqa: E402

TALK = [HumanMessage(content="hello"), AIMessage(content="good day")]
FRUIT = [Document(page_content="an apple"), Document(page_content="a pear")]
EMBEDDING = DeterministicFakeEmbedding(size=8)
SESSION = str(uuid.uuid4())

history = RedisChatMessageHistory(SESSION, url=ENV["REDIS_URL"], ttl=60)
history.add_messages(TALK)
expect([message.content for message in history.messages], ["hello", "good day"], "a chat in Redis")
history.clear()
cache = RedisCache(redis.Redis.from_url(ENV["REDIS_URL"]), ttl=60)
cache.update("prompt", "model", [Generation(text="answer")])
expect(cache.lookup("prompt", "model")[0].text, "answer", "a cached answer in Redis")

with psycopg.connect(ENV["DATABASE_URL"]) as connection:
    PostgresChatMessageHistory.create_tables(connection, "clients_chat")
    chat = PostgresChatMessageHistory("clients_chat", SESSION, sync_connection=connection)
    chat.add_messages(TALK)
    expect([message.content for message in chat.messages], ["hello", "good day"], "a chat in PostgreSQL")
    PostgresChatMessageHistory.drop_table(connection, "clients_chat")

vectors = Chroma("clients_langchain", EMBEDDING, client=client())
vectors.add_documents(FRUIT)
expect([each.page_content for each in vectors.similarity_search("a pear", k=1)], ["a pear"], "a search in ChromaDB")
vectors.delete_collection()

login = {"username": ENV["NEO4J_USERNAME"], "password": ENV["NEO4J_PASSWORD"]}
# Its Neo4jVector needs CREATE VECTOR INDEX, which 5.12 does not have (docs/roles/neo4j.md).
graph = Neo4jGraph(ENV["NEO4J_URI"].replace("+s:", ":"), **login, driver_config=TLS)
graph.query("MERGE (:ClientsChain {n: 1})-[:CLIENTS_NEXT]->(:ClientsChain {n: 2})")
graph.refresh_schema()
assert "ClientsChain" in graph.schema, f"the graph's schema: found {graph.schema}, expected ClientsChain in it"
graph.query("MATCH (n:ClientsChain) DETACH DELETE n")
