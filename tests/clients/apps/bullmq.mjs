// BullMQ: a queue with a worker, results, a retry, a delayed and a repeated job, a flow. Warnings count as faults.
import { FlowProducer, Queue, QueueEvents, Worker } from 'bullmq';
import { ENV, REDIS, expect } from './settings.mjs';

const complaints = [];
console.warn = (...words) => complaints.push(words.join(' '));
const connection = { ...REDIS, maxRetriesPerRequest: null };
const name = 'clients';
const failed = (error) => { console.error(error); process.exit(1); };

const queue = new Queue(name, { connection });
queue.on('error', failed);
await queue.waitUntilReady();
await queue.obliterate({ force: true });
const events = new QueueEvents(name, { connection });
events.on('error', failed);
const worker = new Worker(name, async (job) => {
  if (job.name === 'again' && job.attemptsMade === 0) throw new Error('the first time it fails');
  await job.updateProgress(50);
  if (job.name === 'parent') return Object.values(await job.getChildrenValues()).reduce((a, b) => a + b, 0);
  return job.data.a + job.data.b;
}, { connection, concurrency: 2 });
worker.on('error', failed);
await Promise.all([events.waitUntilReady(), worker.waitUntilReady()]);

const done = async (job) => (await job).waitUntilFinished(events, 20_000);
expect(await done(queue.add('add', { a: 2, b: 3 })), 5, "a job's result");
expect(await done(queue.add('again', { a: 1, b: 1 }, { attempts: 2, backoff: 50 })), 2, 'a retried job');
expect(await done(queue.add('later', { a: 4, b: 4 }, { delay: 200, priority: 2 })), 8, 'a delayed job');
await Promise.all((await queue.addBulk([1, 2, 3].map((a) => ({ name: 'bulk', data: { a, b: 0 } })))).map(done));
await queue.upsertJobScheduler('every', { every: 60_000 }, { name: 'tick', data: { a: 0, b: 0 } });
expect((await queue.getJobSchedulers()).length, 1, 'a repeated job');
const flow = new FlowProducer({ connection });
const tree = await flow.add({
  name: 'parent', queueName: name,
  children: [1, 2].map((a) => ({ name: 'child', queueName: name, data: { a, b: 0 } })),
});
expect(await done(tree.job), 3, 'a flow');
expect((await queue.getJobCounts('failed')).failed, 0, 'failed jobs');
await worker.close();
await queue.obliterate({ force: true });
await Promise.all([queue.close(), events.close(), flow.close()]);
expect(complaints, [], 'warnings');
process.exit(0);
