# judged: WIN01
# from pytest 9.2.0: _pytest/_py/path.py, lines 12, 25, 38, 219-227
import os
import sys
iswin32 = sys.platform == "win32" or (getattr(os, "_name", False) == "nt")
@property
def owner(self):
    if iswin32:
        raise NotImplementedError("XXX win32")
    # fine: WIN01
    import pwd

    entry = error.checked_call(pwd.getpwuid, self.uid)  # type:ignore[attr-defined,unused-ignore]
    return entry[0]
