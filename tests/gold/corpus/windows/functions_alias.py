# judged: WIN02
import os as system
import signal as signals


def go(pid):
    # found: WIN02
    system.kill(pid, signals.SIGKILL)
    # found: WIN02
    return system.getppid(), system.geteuid()
