# judged: WIN01, WIN02
import sys

import pytest

if sys.platform == "win32":
    pytest.skip("Unix only", allow_module_level=True)

# fine: WIN01
import fcntl


def test_lock():
    assert fcntl
