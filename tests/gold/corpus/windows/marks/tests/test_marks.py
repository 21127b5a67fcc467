# judged: WIN02
import os
import signal
import sys
import unittest

import pytest

unix_only = pytest.mark.skipif(sys.platform == "win32", reason="Unix only")


@pytest.mark.skipif(sys.platform == "win32", reason="no fork")
def test_fork():
    # fine: WIN02
    assert os.fork() >= 0


@pytest.mark.skipif(os.name == "nt", reason="no users")
class TestUsers:
    def test_user(self):
        # fine: WIN02
        assert os.getuid() >= 0


@unix_only
def test_kill():
    # fine: WIN02
    os.kill(1, signal.SIGKILL)


@unittest.skipIf(sys.platform == "win32", "no groups")
class GroupTest(unittest.TestCase):
    def test_group(self):
        # fine: WIN02
        self.assertTrue(os.getgid())


@unittest.skipUnless(os.name == "posix", "no groups")
def test_unless():
    # fine: WIN02
    assert os.getgid()


@pytest.mark.skipif(sys.version_info < (3, 12), reason="old")
def test_version():
    # found: WIN02
    assert os.getuid()


@pytest.mark.skipif(sys.platform != "win32", reason="Windows only")
def test_wrong_side():
    # found: WIN02
    assert os.getuid()
