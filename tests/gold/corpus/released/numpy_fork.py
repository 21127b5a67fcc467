# judged: WIN02
# from numpy 2.4.6: numpy/linalg/tests/test_linalg.py, lines 5, 2002-2008
import os
XERBLA_OK = 255

try:
    # fine: WIN02
    pid = os.fork()
except (OSError, AttributeError):
    # fork failed, or not running on POSIX
    pytest.skip("Not POSIX or fork failed.")
