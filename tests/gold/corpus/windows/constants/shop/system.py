# judged: WIN01, WIN02
import platform
import sys

IS_WINDOWS = sys.platform == "win32"
IS_POSIX = not IS_WINDOWS
LINUX = platform.system() == "Linux"
IS_FAST = sys.maxsize > 2**32
