# judged: WIN02
# from asyncpg 0.32.0: asyncpg/connect_utils.py, lines 21, 1362-1364
import socket
def _set_nodelay(sock):
    # fine: WIN02
    if not hasattr(socket, 'AF_UNIX') or sock.family != socket.AF_UNIX:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
