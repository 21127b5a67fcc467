// pg: a pool, a transaction that is rolled back, a prepared statement, notifications.
import pg from 'pg';
import { ENV, expect } from './settings.mjs';

const pool = new pg.Pool({ connectionString: ENV.DATABASE_URL, max: 4 });
await pool.query('DROP TABLE IF EXISTS clients_pg');
await pool.query('CREATE TABLE clients_pg (id serial PRIMARY KEY, doc jsonb)');
const client = await pool.connect();
await client.query('BEGIN');
const { rows } = await client.query('INSERT INTO clients_pg (doc) VALUES ($1) RETURNING id', [{ n: 1 }]);
expect(rows, [{ id: 1 }], 'an insert');
await client.query('ROLLBACK');
const prepared = { name: 'insert', text: 'INSERT INTO clients_pg (doc) VALUES ($1)' };
for (const n of [1, 2, 3]) await client.query({ ...prepared, values: [{ n }] });
const sum = await pool.query("SELECT sum((doc->>'n')::int)::int AS n FROM clients_pg");
expect(sum.rows, [{ n: 6 }], 'a sum');
const heard = new Promise((resolve) => client.once('notification', (message) => resolve(message.payload)));
await client.query('LISTEN clients_pg');
await pool.query("SELECT pg_notify('clients_pg', 'hello')");
expect(await heard, 'hello', 'NOTIFY');
client.release();
await pool.query('DROP TABLE clients_pg');
await pool.end();
