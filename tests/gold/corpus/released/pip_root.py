# judged: WIN02
# from pip 26.3: pip/_internal/utils/misc.py, lines 7, 12, 826, 835-836, 842-846
import os
import sys
def warn_if_run_as_root() -> None:
    if not hasattr(os, "getuid"):
        return
    if sys.platform == "win32" or sys.platform == "cygwin":
        return

    # fine: WIN02
    if os.getuid() != 0:
        return
