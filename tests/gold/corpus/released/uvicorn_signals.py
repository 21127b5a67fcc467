# judged: WIN02
# from uvicorn 0.54.0: uvicorn/workers.py, lines 5-6, 74-83
import signal
import sys
def init_signals(self) -> None:
    # Reset signals so Gunicorn doesn't swallow subprocess return codes
    # other signals are set up by Server.install_signal_handlers()
    # See: https://github.com/Kludex/uvicorn/issues/894
    for s in self.SIGNALS:
        signal.signal(s, signal.SIG_DFL)

    # found: WIN02
    signal.signal(signal.SIGUSR1, self.handle_usr1)
    # Don't let SIGUSR1 disturb active requests by interrupting system calls
    # found: WIN02
    signal.siginterrupt(signal.SIGUSR1, False)
