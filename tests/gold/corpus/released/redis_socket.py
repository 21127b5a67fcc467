# judged: WIN02
# from redis 8.1.0: redis/connection.py, lines 2-4, 2264-2279
import os
import socket
import sys
def _connect(self):
    "Create a Unix domain socket connection"
    # found: WIN02
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    sock.settimeout(self.socket_connect_timeout)
    try:
        sock.connect(self.path)
    except OSError:
        # Prevent ResourceWarnings for unclosed sockets.
        try:
            sock.shutdown(socket.SHUT_RDWR)  # ensure a clean close
        except OSError:
            pass
        sock.close()
        raise
    sock.settimeout(self.socket_timeout)
    return sock
