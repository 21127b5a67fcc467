# judged: WIN02
# from anyio 4.16.0: anyio/_backends/_asyncio.py, lines 8, 3210-3215
import socket
@classmethod
async def wrap_listener_socket(cls, sock: socket.socket) -> SocketListener:
    # fine: WIN02
    if hasattr(socket, "AF_UNIX") and sock.family == socket.AF_UNIX:
        return UNIXSocketListener(sock)

    return TCPSocketListener(sock)
