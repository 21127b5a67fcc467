"""psycopg 3: transactions, COPY, a server-side cursor, a pool, notifications, types."""

import psycopg
from psycopg.types.json import Jsonb
from psycopg_pool import ConnectionPool
from settings import ENV, expect

URL = ENV["DATABASE_URL"]

with psycopg.connect(URL) as connection:
    connection.execute("CREATE TEMPORARY TABLE scratch (x int)")
    connection.execute("DROP TABLE IF EXISTS clients_psycopg")
    connection.execute("CREATE TABLE clients_psycopg (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, doc jsonb)")
    connection.commit()
    with connection.cursor().copy("COPY clients_psycopg (doc) FROM STDIN") as copy:
        for number in range(1000):
            copy.write_row([Jsonb({"n": number})])
    connection.commit()
    try:
        with connection.transaction():
            connection.execute("DELETE FROM clients_psycopg")
            raise psycopg.Rollback
    except psycopg.Rollback:
        pass
    with connection.cursor("named") as cursor:
        cursor.execute("SELECT (doc->>'n')::int FROM clients_psycopg ORDER BY 1")
        expect(sum(row[0] for row in cursor), 499500, "a server-side cursor")
    connection.execute("CREATE OR REPLACE FUNCTION clients_double(int) RETURNS int LANGUAGE sql AS 'SELECT $1 * 2'")
    expect(connection.execute("SELECT clients_double(21)").fetchone(), (42,), "a function")
    connection.execute("CREATE SCHEMA clients_schema; CREATE TYPE clients_schema.mood AS ENUM ('good')")
    connection.execute("DROP SCHEMA clients_schema CASCADE; DROP FUNCTION clients_double(int)")
    connection.execute("SELECT pg_advisory_xact_lock(42)")
    connection.commit()

with ConnectionPool(URL, min_size=2, max_size=4, timeout=10) as pool, pool.connection() as one:
    one.autocommit = True
    one.execute("LISTEN clients_psycopg")
    with pool.connection() as two:
        two.execute("SELECT pg_notify('clients_psycopg', 'hello')")
    expect([note.payload for note in one.notifies(timeout=5, stop_after=1)], ["hello"], "NOTIFY")
    one.execute("UNLISTEN *; DROP TABLE clients_psycopg")
