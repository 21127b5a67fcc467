# judged: WIN01, WIN02
import os


def plain():
    try:
        # found: WIN01
        import fcntl
    except ImportError:
        raise


def named():
    try:
        # found: WIN01
        import termios
    except ImportError as error:
        print("no terminal")
        raise error


def explained():
    try:
        # fine: WIN01
        import grp
    except ImportError as error:
        raise RuntimeError("groups are those of Unix: use WSL") from error


try:
    # fine: WIN01
    import pwd
except ImportError:
    pwd = None


def leave():
    if os.name != "nt":
        return None
    # found: WIN02
    return os.getuid()


def stay():
    if os.name == "nt":
        raise NotImplementedError
    # fine: WIN02
    return os.getuid()


if os.name != "nt":
    # fine: WIN02
    os.umask(os.getuid())
else:
    # found: WIN02
    os.umask(os.getgid())

if os.name == "nt":
    raise ImportError("Unix alone")
# fine: WIN01
import syslog
