"""Which places Windows never reaches."""

from __future__ import annotations

import pytest

from tests.unit.gold.goldfiles import found

HEAD = "import contextlib\nimport os\nimport platform\nimport signal\nimport sys\nimport pytest\nimport unittest\n"


@pytest.mark.parametrize(
    "text",
    [
        "free = [os.getpgid(p) for p in ps if sys.platform != 'win32']",
        "x = not hasattr(os, 'getpgid') or os.getpgid(1)",
        "x = p and os.name == 'posix' and q and os.getpgid(1)",
        "x = os.getpgid(1) if platform.system() != 'Windows' else 0",
        "while os.name != 'nt':\n    os.sync()",
        "def f():\n    assert hasattr(os, 'sync'), 'Unix'\n    os.sync()",
        "with contextlib.suppress(AttributeError, ValueError):\n    os.sync()",
        "def f():\n    if os.name == 'nt':\n        return\n    else:\n        pass\n    os.sync()",
        "def f():\n    if os.name == 'nt':\n        return\n    elif x:\n        y()\n    os.sync()",
        "def f():\n    if os.name != 'nt':\n        y()\n    else:\n        raise SystemExit\n    os.sync()",
        "kind = sys.platform\nif kind == 'linux':\n    os.sync()",
        "if sys.platform[:3] != 'win':\n    os.sync()",
        "POSIX = getattr(os, 'sync', None)\nif POSIX is not None:\n    os.sync()",
        "try:\n    import fcntl\nexcept ImportError:\n    fcntl = None\nif fcntl is not None:\n    os.sync()",
        "try:\n    import pwd\n    HAS = True\nexcept ImportError:\n    HAS = False\nif HAS:\n    os.sync()",
        "try:\n    import msvcrt\nexcept ImportError:\n    os.sync()",
        "try:\n    import fcntl\nexcept ImportError:\n    pass\nelse:\n    os.sync()",
        "try:\n    import fcntl\nexcept ImportError:\n    sys.exit(1)\nos.sync()",
        "fcntl = pytest.importorskip('fcntl')\nos.sync()",
        "class A:\n    nt = os.name == 'nt'\n    def f(self):\n        if not self.nt:\n            os.sync()",
        "class A:\n    def __init__(self):\n        self.nt = os.name == 'nt'\n    def f(self):\n"
        "        if self.nt:\n            return\n        os.sync()",
        "if not hasattr(sys, 'getwindowsversion'):\n    os.sync()",
        "needs = unittest.skipUnless(hasattr(os, 'sync'), 'sync')\n@needs\ndef test_a():\n    os.sync()",
        "here = [pytest.mark.slow, pytest.mark.skipif(os.name == 'nt', reason='x')]\npytestmark = here[1:]\n"
        "@pytest.mark.skipif('os.name == \"nt\"', reason='x')\ndef test_a():\n    os.sync()",
        "class T(unittest.TestCase):\n    def test_a(self):\n        if os.name == 'nt':\n"
        "            self.skipTest('x')\n        os.sync()",
    ],
)
def test_guarded(text: str) -> None:
    """Each of them is reached on Unix alone, or its failure is handled."""
    assert found({"app.py": HEAD + text}, "WIN01", "WIN02") == []


@pytest.mark.parametrize(
    "text",
    [
        "x = os.name == 'posix' or os.getpgid(1)",
        "x = os.getpgid(1) and os.name == 'posix'",
        "x = hasattr(os, 'getpid') and os.getpgid(1)",
        "x = [os.getpgid(p) for p in ps if p != 'win32']",
        "with contextlib.suppress(KeyError):\n    os.sync()",
        "while os.name == 'nt':\n    os.sync()",
        "while os.name != 'nt':\n    x()\nos.sync()",
        "if os.name == 'nt':\n    x()\nelse:\n    y()\nos.sync()",
        "assert sys.platform == 'win32'\nos.sync()",
        "x = getattr(os, 'sync', print)\nif x:\n    os.sync()",
        "try:\n    import json\nexcept ImportError:\n    json = None\nif json:\n    os.sync()",
        "try:\n    import ujson\nexcept ImportError:\n    os.sync()",
        "@pytest.mark.skipif(sys.version_info < (3, 11), reason='x')\ndef test_a():\n    os.sync()",
        "@unittest.skipUnless(os.name == 'nt', 'x')\ndef test_a():\n    os.sync()",
    ],
)
def test_not_guarded(text: str) -> None:
    """A condition that Windows meets, or another, guards nothing."""
    assert [item.split()[1] for item in found({"app.py": HEAD + text}, "WIN02")] == ["WIN02"]


def test_marks_and_conditions_of_other_modules() -> None:
    """A variable that keeps a mark may be imported."""
    files = {
        "tests/__init__.py": "",
        "tests/marks.py": "import os, pytest\nunix_only = pytest.mark.skipif(os.name == 'nt', reason='Unix')\n",
        "tests/test_a.py": "import os\nfrom tests.marks import unix_only\n@unix_only\ndef test_a():\n    os.sync()\n",
    }
    assert found(files, "WIN02") == []
