# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The parent of all: checks the models, starts their processes and the ports, and ends when one of them does."""

from __future__ import annotations

import signal
import sys
import threading

from . import children
from .config import ConfigError, load
from .engine import serve

WAKE = {signal.SIGTERM, signal.SIGINT, signal.SIGCHLD}


def say(message: str) -> None:
    """Write a line to the container's log."""
    print(f"ready-ai: {message}", file=sys.stderr, flush=True)


def run(path: str) -> int:
    """Serve what ai.json says until a signal, or the end of a model's process; return the exit code."""
    from .front import ROUTES, Front, Strangers

    try:
        config = load(path)
        models = [config.chat, config.embedding]
        for model in models:
            model.check()
    except ConfigError as error:
        say(str(error))
        return 2
    signal.pthread_sigmask(signal.SIG_BLOCK, WAKE)
    started = children.start(models, config.threads)
    strangers = Strangers()
    for port in ROUTES:
        threading.Thread(target=Front(port, config.key, started, strangers).serve_forever, daemon=True).start()
    code = 0
    while signal.sigwait(WAKE) == signal.SIGCHLD:
        ends = {kind: end for kind, child in started.items() if (end := child.ended())}
        if ends:  # a child that is stopped or continued is a SIGCHLD too
            code = 1
            break
    for child in started.values():
        child.process.kill()
    for kind, end in ends.items() if code else ():
        say(f"{kind}: {end}")
    return code


def main(argv: list[str]) -> int:
    """Do what the command line says; return the exit code."""
    if argv[1:] == ["--version"]:
        import xllamacpp

        print(xllamacpp.__version__)
        return 0
    if argv[1:] == ["--serve"]:
        return serve()
    if len(argv) != 2 or argv[1].startswith("-"):
        say(f"found {len(argv) - 1} arguments, expected one. Next: ready-ai /run/ready/ai.json, or ready-ai --version.")
        return 2
    return run(argv[1])
