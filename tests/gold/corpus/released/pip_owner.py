# judged: WIN02
# from pip 26.3: pip/_internal/utils/filesystem.py, lines 4-7, 19-23, 27-31, 38-43
import os
import os.path
import random
import sys
def check_path_owner(path: str) -> bool:
    # If we don't have a way to check the effective uid of this process, then
    # we'll just assume that we own the directory.
    if sys.platform == "win32" or not hasattr(os, "geteuid"):
        return True
    previous = None
    while path != previous:
        if os.path.lexists(path):
            # Check if path is writable by current user.
            # fine: WIN02
            if os.geteuid() == 0:
                return path_uid == 0
            else:
                return os.access(path, os.W_OK)
        else:
            previous, path = path, os.path.dirname(path)
    return False  # assume we don't own the path
