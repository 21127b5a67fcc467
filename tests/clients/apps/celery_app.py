"""Celery: Redis as broker and as result backend; a worker with processes, a retry, a chord, remote control."""

import os
import subprocess
import sys
import tempfile

from celery import Celery, Task, chord, group
from settings import CA, ENV, expect

URL = ENV["REDIS_URL"].partition("?")[0]
TLS = {"ssl_cert_reqs": "required", "ssl_ca_certs": CA} if CA else None

app = Celery("celery_app", broker=URL, backend=URL)
app.conf.update(
    broker_use_ssl=TLS,
    redis_backend_use_ssl=TLS,
    task_default_queue="clients:celery",
    result_expires=60,
    broker_connection_retry_on_startup=True,
)


@app.task
def add(a: int, b: int) -> int:
    """Return a sum."""
    return a + b


@app.task
def total(values: list[int]) -> int:
    """Return a sum of many."""
    return sum(values)


@app.task(bind=True, max_retries=1)
def second_time(self: Task) -> int:
    """Fail once, so that it is put back with a delay."""
    if not self.request.retries:
        raise self.retry(countdown=0.1)
    return self.request.retries


def main() -> None:
    """Start a worker, and be its client."""
    with tempfile.TemporaryFile("w+") as log:
        worker = subprocess.Popen(
            [sys.executable, "-m", "celery", "-A", "celery_app", "worker", "-c", "2", "-n", "clients@%h"],
            cwd=os.path.dirname(os.path.abspath(__file__)),
            env=os.environ | {"HOME": "/tmp"},
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        try:
            expect(add.delay(2, 3).get(timeout=40), 5, "a job's result")
            expect(group(add.s(i, i) for i in range(3)).apply_async().get(timeout=20), [0, 2, 4], "a group")
            expect(chord([add.s(i, 1) for i in range(3)])(total.s()).get(timeout=20), 6, "a chord")
            expect(second_time.delay().get(timeout=20), 1, "a retry")
            replies = app.control.ping(timeout=5, limit=1)
            expect([next(iter(reply.values())) for reply in replies], [{"ok": "pong"}], "remote control")
        except BaseException:
            log.seek(0)
            sys.stderr.write(log.read()[-3000:])
            raise
        finally:
            worker.terminate()
            worker.wait(20)


if __name__ == "__main__":
    main()
