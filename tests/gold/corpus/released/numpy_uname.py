# judged: WIN02
# from numpy 2.4.6: numpy/_core/_add_newdocs_scalars.py, lines 6-7, 54-64
import os
import sys
def _get_platform_and_machine():
    try:
        # fine: WIN02
        system, _, _, _, machine = os.uname()
    except AttributeError:
        system = sys.platform
        if system == 'win32':
            machine = os.environ.get('PROCESSOR_ARCHITEW6432', '') \
                    or os.environ.get('PROCESSOR_ARCHITECTURE', '')
        else:
            machine = 'unknown'
    return system, machine
