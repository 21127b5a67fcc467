# judged: GS16
import os

import psycopg2
import pytest


# fine: GS16
@pytest.fixture
def database():
    # fine: GS16
    return psycopg2.connect(os.environ["DSN"])
