// What `./ready env` prints for the app account, with the addresses that hold inside the stack's network.
import { readFileSync } from 'node:fs';
import assert from 'node:assert/strict';

export const ENV = JSON.parse(readFileSync('/settings/env.json', 'utf8'));
const ca = ENV.REDIS_CA_FILE && readFileSync(ENV.REDIS_CA_FILE, 'utf8');
export const REDIS = {
  host: ENV.REDIS_HOST, port: Number(ENV.REDIS_PORT), username: ENV.REDIS_USERNAME, password: ENV.REDIS_PASSWORD,
  ...(ca && { tls: { ca } }),
};
export const expect = (found, expected, what) => assert.deepEqual(found, expected, what);
// Drivers go on trying for ever; a store that refuses is to end the program.
setTimeout(() => { console.error('no end after 120 s'); process.exit(1); }, 120_000).unref();
