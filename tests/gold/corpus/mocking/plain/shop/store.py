# judged: GS16
import psycopg2


class Client:
    def get(self):
        return 1


def connect():
    return psycopg2.connect("")


def load(client=None):
    return client or connect()
