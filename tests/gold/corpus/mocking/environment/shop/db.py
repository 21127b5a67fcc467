# judged: GS16
import psycopg2


def connect():
    return psycopg2.connect("")


def load():
    return connect()
