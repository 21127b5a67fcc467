"""ChromaDB's thin client: a collection's life, filters, nearest neighbours, a separate database."""

import chromadb
from chromadb.api import ClientAPI
from chromadb.config import Settings
from settings import ENV, expect

SETTINGS = Settings(
    anonymized_telemetry=False,
    chroma_api_impl="chromadb.api.fastapi.FastAPI",
    chroma_server_host=ENV["CHROMA_HOST"],
    chroma_server_http_port=int(ENV["CHROMA_PORT"]),
)
HEADERS = {}
if "CHROMA_TOKEN" in ENV:  # through the gateway
    HEADERS = {"Authorization": f"Bearer {ENV['CHROMA_TOKEN']}"}
    SETTINGS.chroma_server_ssl_enabled = True
    SETTINGS.chroma_server_headers = HEADERS
    SETTINGS.chroma_server_ssl_verify = ENV["CHROMA_CA_FILE"]


def client(**more: str) -> ClientAPI:
    """Return a client of the usual database, or of another."""
    return chromadb.HttpClient(
        host=ENV["CHROMA_HOST"],
        port=int(ENV["CHROMA_PORT"]),
        ssl="CHROMA_TOKEN" in ENV,
        headers=HEADERS,
        settings=SETTINGS,
        **more,
    )


def main() -> None:
    """Be an application."""
    its = client()
    assert its.heartbeat() > 0
    if "clients" in [collection.name for collection in its.list_collections()]:
        its.delete_collection("clients")
    collection = its.create_collection("clients", embedding_function=None, metadata={"of": "a test"})
    ids = [str(number) for number in range(20)]
    collection.add(
        ids=ids,
        embeddings=[[1.0, float(number), 0.0] for number in range(20)],
        documents=[f"document {number}" for number in range(20)],
        metadatas=[{"even": number % 2 == 0} for number in range(20)],
    )
    expect(collection.count(), 20, "a count")
    found = collection.query(query_embeddings=[[1.0, 7.0, 0.0]], n_results=2, where={"even": True})
    expect(set(found["ids"][0]), {"6", "8"}, "the nearest vectors by a filter")
    found = collection.get(where_document={"$contains": "19"})
    expect(found["ids"], ["19"], "a document by its text")
    collection.update(ids=["19"], metadatas=[{"even": True}])
    collection.upsert(ids=["20"], embeddings=[[0.0, 0.0, 1.0]], documents=["document 20"])
    collection.delete(ids=["0"])
    expect(collection.count(), 20, "a count after upsert and delete")
    its.delete_collection("clients")
    admin = chromadb.AdminClient(SETTINGS)
    if "clients" in [database["name"] for database in admin.list_databases()]:
        admin.delete_database("clients")
    admin.create_database("clients")
    other = client(database="clients")
    other.create_collection("apart", embedding_function=None)
    expect([each.name for each in other.list_collections()], ["apart"], "collections of another database")
    expect("apart" in [each.name for each in its.list_collections()], False, "that collection in the usual database")
    other.delete_collection("apart")
    admin.delete_database("clients")


if __name__ == "__main__":
    main()
