// OpenAI's client for JavaScript: models, a streamed chat, embeddings.
import OpenAI from 'openai';
import { ENV, expect } from './settings.mjs';

const client = new OpenAI({ baseURL: ENV.OPENAI_BASE_URL, apiKey: ENV.OPENAI_API_KEY, maxRetries: 0 });
const models = [];
for await (const each of client.models.list()) models.push(each.id);
expect(models.includes(ENV.OPENAI_MODEL) && models.includes(ENV.OPENAI_EMBEDDING_MODEL), true, `both models in ${models}`);
const messages = [{ role: 'user', content: 'What is the capital of France? One word.' }];
const stream = await client.chat.completions.create({
  model: ENV.OPENAI_MODEL, messages, max_tokens: 24, temperature: 0, stream: true,
});
const parts = [];
for await (const part of stream) if (part.choices[0]?.delta?.content) parts.push(part.choices[0].delta.content);
expect(parts.length > 1 && parts.join('').includes('Paris'), true, `Paris in several parts of ${parts.join('|')}`);
const vectors = await client.embeddings.create({ model: ENV.OPENAI_EMBEDDING_MODEL, input: ['an apple', 'a pear'] });
expect(vectors.data.map((each) => each.embedding.length), [384, 384], 'dimensions of embeddings');
