# judged: WIN01, WIN02
import os
import platform
import sys

match sys.platform:
    case "win32":
        number = 0
    case "linux" | "darwin":
        # fine: WIN02
        number = os.getuid()
    case _:
        # fine: WIN02
        number = os.geteuid()

match os.name:
    case "posix":
        # fine: WIN01
        import fcntl
    case "nt" as name:
        # found: WIN01
        import pwd
    case other:
        # fine: WIN01
        import grp

match platform.system():
    case "Windows" if number:
        pass
    case _:
        # found: WIN02
        os.fork()

match number:
    case 0:
        # found: WIN01
        import resource
    case _:
        # found: WIN02
        os.setsid()
