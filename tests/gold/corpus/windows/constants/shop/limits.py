# judged: WIN01, WIN02
import os

from shop import system
from shop.system import IS_FAST, IS_POSIX, IS_WINDOWS
from shop.system import IS_WINDOWS as ON_WINDOWS

if not IS_WINDOWS:
    # fine: WIN01
    import resource

if IS_POSIX:
    # fine: WIN01
    import fcntl

if system.LINUX:
    # fine: WIN01
    import pwd

if IS_WINDOWS:
    # found: WIN01
    import grp

if IS_FAST:
    # found: WIN01
    import termios


def user():
    if ON_WINDOWS:
        return None
    # fine: WIN02
    return os.getuid()


def group():
    # found: WIN02
    return os.getgid()


def either():
    # fine: WIN02
    return 0 if system.IS_WINDOWS else os.getuid()
