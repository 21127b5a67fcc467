# judged: WIN02
# from watchfiles 1.3.0: watchfiles/run.py, lines 4, 7, 325-345
import os
import signal
if self.is_alive():
    logger.debug('stopping process...')

    # fine: WIN02
    os.kill(self.pid, signal.SIGINT)

    try:
        self.join(sigint_timeout)
    except subprocess.TimeoutExpired:
        # Capture this exception to allow the self.exitcode to be reached.
        # This will allow the SIGKILL to be sent, otherwise it is swallowed up.
        logger.warning('SIGINT timed out after %r seconds', sigint_timeout)
        pass

    if self.exitcode is None:
        logger.warning('process has not terminated, sending SIGKILL')
        # found: WIN02
        os.kill(self.pid, signal.SIGKILL)
        self.join(sigkill_timeout)
    else:
        logger.debug('process stopped')
else:
    logger.warning('process already dead, exit code: %d', self.exitcode)
