# judged: WIN02
# from uvicorn 0.54.0: uvicorn/config.py, lines 8-9, 11, 570-578
import os
import socket
import sys
if self.uds is not None:  # pragma: py-win32
    path = self.uds
    # found: WIN02
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        sock.bind(path)
        uds_perms = 0o666
        os.chmod(self.uds, uds_perms)
    except OSError as exc:  # pragma: full coverage
        logger.error(exc)
