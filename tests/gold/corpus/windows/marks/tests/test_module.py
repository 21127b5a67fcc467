# judged: WIN01, WIN02
import os
import sys

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="Unix only")


def test_user():
    # fine: WIN02
    assert os.getuid() >= 0
