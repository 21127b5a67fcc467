// ChromaDB's client for JavaScript: a collection's life and its nearest neighbours.
import { ChromaClient } from 'chromadb';
import { ENV, expect } from './settings.mjs';

const client = new ChromaClient({
  host: ENV.CHROMA_HOST, port: Number(ENV.CHROMA_PORT),
  ...(ENV.CHROMA_TOKEN && { ssl: true, headers: { Authorization: `Bearer ${ENV.CHROMA_TOKEN}` } }),
});
await client.heartbeat();
const name = 'clients_js';
if ((await client.listCollections()).some((each) => each.name === name)) await client.deleteCollection({ name });
const collection = await client.createCollection({ name, embeddingFunction: null });
await collection.add({
  ids: ['x', 'y', 'z'], embeddings: [[1, 0, 0], [0, 1, 0], [0, 0, 1]], metadatas: [{ a: 1 }, { a: 2 }, { a: 3 }],
});
const found = await collection.query({ queryEmbeddings: [[0.1, 1, 0]], nResults: 2, where: { a: { $lt: 3 } } });
expect(found.ids, [['y', 'x']], 'the nearest vectors');
await collection.upsert({ ids: ['x'], embeddings: [[0, 0, 2]] });
await collection.delete({ ids: ['y'] });
expect(await collection.count(), 2, 'a count');
await client.deleteCollection({ name });
