# judged: WIN01, WIN02
# from pip 26.3: pip/_vendor/platformdirs/_xdg.py, lines 5, 7, 186-193 (a line of context is ours)
import os
import sys
from contextlib import suppress
def _passwd_home() -> str | None:
    if sys.platform == "win32":  # pragma: win32 cover  # narrows pwd and os.getuid for ty
        return None
    with suppress(ImportError, KeyError):
        # fine: WIN01
        import pwd  # ruff:ignore[import-outside-top-level]  # missing on WASI

        # fine: WIN02
        return pwd.getpwuid(os.getuid()).pw_dir
    return None
