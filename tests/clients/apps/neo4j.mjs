// Neo4j's driver for JavaScript: managed transactions, a streamed result.
import neo4j from 'neo4j-driver';
import { ENV, expect } from './settings.mjs';

const tls = ENV.NEO4J_CA_FILE && {
  encrypted: 'ENCRYPTION_ON', trust: 'TRUST_CUSTOM_CA_SIGNED_CERTIFICATES', trustedCertificates: [ENV.NEO4J_CA_FILE],
};
const login = neo4j.auth.basic(ENV.NEO4J_USERNAME, ENV.NEO4J_PASSWORD);
const driver = neo4j.driver(ENV.NEO4J_URI.replace('+s:', ':'), login, { disableLosslessIntegers: true, ...tls });
await driver.getServerInfo();
const session = driver.session();
await session.executeWrite((tx) => tx.run('MERGE (:ClientsJs {n: 1})-[:CLIENTS_NEXT]->(:ClientsJs {n: 2})'));
const read = (tx) => tx.run('MATCH (:ClientsJs {n: 1})-->(b) RETURN b.n AS n');
expect((await session.executeRead(read)).records.map((each) => each.get('n')), [2], 'a managed transaction');
let count = 0;
for await (const record of session.run('UNWIND range(1, 1000) AS n RETURN n')) count += record.get('n') > 0;
expect(count, 1000, 'a streamed result');
await session.close();
await driver.executeQuery('MATCH (n:ClientsJs) DETACH DELETE n');
await driver.close();
