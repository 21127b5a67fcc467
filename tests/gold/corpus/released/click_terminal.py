# judged: WIN01
# from click 8.5.1: click/_termui_impl.py, lines 14, 878-879, 931-933
import sys
if sys.platform == "win32":
    import msvcrt
else:
    # fine: WIN01
    import termios
    # fine: WIN01
    import tty
