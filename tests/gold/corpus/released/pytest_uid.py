# judged: WIN02
# from pytest 9.2.0: _pytest/compat.py, lines 12-14, 262, 271-280
import os
from pathlib import Path
import sys
def get_user_id() -> int | None:
    if sys.platform == "win32" or sys.platform == "emscripten":
        # win32 does not have a getuid() function.
        # Emscripten has a return 0 stub.
        return None
    else:
        # On other platforms, a return value of -1 is assumed to indicate that
        # the current process's real user id could not be determined.
        ERROR = -1
        # fine: WIN02
        uid = os.getuid()
        return uid if uid != ERROR else None
