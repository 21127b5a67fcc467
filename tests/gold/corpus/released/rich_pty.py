# judged: WIN01
# from rich 15.0.0: rich/ansi.py, lines 2, 214-229
import sys
if sys.platform != "win32" and __name__ == "__main__":  # pragma: no cover
    import io
    import os
    # fine: WIN01
    import pty
    import sys

    decoder = AnsiDecoder()

    stdout = io.BytesIO()

    def read(fd: int) -> bytes:
        data = os.read(fd, 1024)
        stdout.write(data)
        return data

    pty.spawn(sys.argv[1:], read)
