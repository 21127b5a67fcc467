# judged: WIN01
import contextlib
import os
import platform
import sys
from typing import TYPE_CHECKING

# found: WIN01
import fcntl
# found: WIN01
from grp import getgrnam
# found: WIN01
import resource as limits
# found: WIN01
import json, pwd
# fine: WIN01
from importlib import resources
# fine: WIN01
from shop import resource as shop_resource
# fine: WIN01
import resources_of_shop

if TYPE_CHECKING:
    # fine: WIN01
    import termios as typed

try:
    # fine: WIN01
    import termios
except ImportError:
    termios = None

try:
    # fine: WIN01
    import tty
except (ModuleNotFoundError, AttributeError):
    tty = None

try:
    # found: WIN01
    import pty
except ValueError:
    pty = None

with contextlib.suppress(ImportError):
    # fine: WIN01
    import syslog

if sys.platform != "win32":
    # fine: WIN01
    import fcntl as guarded
else:
    guarded = None

if sys.platform == "win32":
    import msvcrt
else:
    # fine: WIN01
    import fcntl as otherwise

if os.name == "posix":
    # fine: WIN01
    import pwd as posix_pwd

if os.name == "nt":
    # found: WIN01
    import pwd as wrong_pwd

if platform.system() != "Windows":
    # fine: WIN01
    import grp as system_grp

if platform.system() == "Linux":
    # fine: WIN01
    import resource as linux_resource

if sys.platform.startswith("win"):
    pass
else:
    # fine: WIN01
    import resource as started

if not sys.platform.startswith("win"):
    # fine: WIN01
    import resource as negated

if sys.platform in ("linux", "darwin"):
    # fine: WIN01
    import fcntl as listed

if sys.version_info >= (3, 12):
    # found: WIN01
    import fcntl as versioned


def early():
    if sys.platform == "win32":
        return None
    # fine: WIN01
    import pwd

    return pwd


def raising():
    if os.name == "nt":
        raise NotImplementedError
    # fine: WIN01
    import grp

    return grp


def unguarded():
    # found: WIN01
    import termios

    return termios


def asserted():
    assert sys.platform != "win32"
    # fine: WIN01
    import pwd

    return pwd
