# judged: GS16
import psycopg2


class MockingbirdRepository:
    def all(self):
        return psycopg2.connect("").cursor().fetchall()
