# judged: WIN02
# from mcp 1.30.0: mcp/os/posix/utilities.py, lines 5-7, 31-33, 44-47 (a line of context is ours)
import logging
import os
import signal
try:
    # found: WIN02
    pgid = os.getpgid(pid)
    # found: WIN02
    os.killpg(pgid, signal.SIGTERM)
    try:
        # found: WIN02
        os.killpg(pgid, signal.SIGKILL)
    except ProcessLookupError:
        pass
except ProcessLookupError:
    return
