# judged: WIN02
import os
import signal
import socket
import subprocess
import sys


def plain(pid):
    # found: WIN02
    os.fork()
    # found: WIN02
    os.kill(pid, signal.SIGKILL)
    # fine: WIN02
    os.kill(pid, signal.SIGTERM)
    # fine: WIN02
    os.getpid()
    # found: WIN02
    user = os.getuid()
    # found: WIN02
    os.killpg(pid, signal.SIGTERM)
    # found: WIN02
    signal.alarm(3)
    # found: WIN02
    name = os.uname()
    # fine: WIN02
    os.chmod("x", 0o600)
    # found: WIN02
    os.chown("x", user, user)
    # found: WIN02
    subprocess.Popen(["x"], preexec_fn=os.setsid)
    # found: WIN02
    pair = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    # fine: WIN02
    plain_socket = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    return name, pair, plain_socket


def guarded(pid):
    if hasattr(os, "fork"):
        # fine: WIN02
        os.fork()
    if os.name == "posix" and os.getuid() == 0:
        return None
    # fine: WIN02
    root = os.name == "nt" or os.getuid() == 0
    # found: WIN02
    wrong = sys.platform == "win32" and os.getuid() == 0
    try:
        # fine: WIN02
        user = os.getuid()
    except AttributeError:
        user = 0
    # fine: WIN02
    group = getattr(os, "getgid", lambda: 0)()
    # fine: WIN02
    term = signal.SIGKILL if sys.platform != "win32" else signal.SIGTERM
    return root, wrong, user, group, term


# found: WIN02
def stop(pid, how=signal.SIGKILL):
    os.kill(pid, how)


class Bell:
    def alarm(self, seconds):
        return seconds


class House:
    def __init__(self):
        self.signal = Bell()

    def ring(self, os_info):
        # fine: WIN02
        self.signal.alarm(3)
        # fine: WIN02
        return os_info.uname()
