"""What Windows reads in another way: encodings, paths, output, dates."""

from __future__ import annotations

import pytest

from tests.unit.gold.goldfiles import found

HEAD = "import codecs, io, os, subprocess, sys\nfrom datetime import datetime\nfrom pathlib import Path\n"


def rules(text: str, *chosen: str) -> list[str]:
    """Return the rules of the findings of a text."""
    return [item.split()[1] for item in found({"app.py": HEAD + text}, *chosen)]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("for item in Path('d').glob('*.csv'):\n    item.read_text()", 1),
        ("[item.read_text() for item in Path('d').iterdir()]", 1),
        ("(Path.home().parent / 'a' / 'b').write_text('x')", 1),
        ("('a' / Path('b')).open()", 1),
        ("Path('a').with_suffix('.b').resolve().open('w')", 1),
        ("(len(a) / len(b)).open()", 0),
        ("for item in names:\n    item.read_text()", 0),
        ("(Path('a') / 'b').open('rb')", 0),
        ("(Path('a') / 'b').write_text('x', encoding='utf-8')", 0),
    ],
)
def test_encodings(text: str, count: int) -> None:
    """Paths that `/`, methods and loops give are paths."""
    assert len(rules(text, "WIN03")) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("where = '/var/spool/shop/in'", 1),
        ("class A:\n    spool_dir: str = '/srv/spool'", 1),
        ("def f(*, log_file='/var/log/a.log'): pass", 1),
        ("async def f(a, data_dir='/home/shop/data'): pass", 1),
        ("run(cache_dir='/opt/cache')", 1),
        ("x = {'log_path': '/dev/shm/log'}", 1),
        ("NAME = 'a'\nopen('/tmp/' + NAME + '.csv', 'rb')", 1),
        ("os.path.exists('/proc/self/%s' % x)", 1),
        ("subprocess.check_output(['wc', '-l', '/etc/passwd'])", 1),
        ("if os.name == 'posix':\n    where = '/var/spool/shop/in'", 0),
        ("where = '/var' if os.name == 'posix' else 'C:/'", 0),
        ("home_link = '/home/offers'", 0),
        ("user = '/home/offers'", 0),
        ("get('/etc/passwd')", 0),
        ("parser.add_argument('--dir', default='/tmp/x')", 0),
        ("x = os.environ.get('DIR', '/tmp/x')", 0),
        ("subprocess.run(['/usr/bin/env', 'x'])", 0),
        ("volume = {'target': '/var/lib/data'}", 0),
        ("pattern = '/tmp/.*'", 0),
        ("text = '/tmp/a\\n/tmp/b'", 0),
        ("text = '/etc'", 0),
        ('def f():\n    """/var/log/x is where it is."""', 0),
    ],
)
def test_paths(text: str, count: int) -> None:
    """A text is a path by what takes it, by its name, or by its own beginning."""
    assert len(rules(text, "WIN04")) == count


def test_paths_in_tests_are_data() -> None:
    """Nobody opens them, unless by open()."""
    files = {"tests/test_a.py": "where = '/var/log/x'\nopen('/tmp/a', 'rb')\n"}
    assert found(files, "WIN04") == ["tests/test_a.py:2 WIN04"]


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("MARK = '✔'\nprint(f'{MARK} {x}')", 1),
        ("LINE = '─' * 20\nprint(LINE)", 1),
        ("print('{} →'.format(x))", 1),
        ("print('→ %s' % x)", 1),
        ("print('a', 'b', sep=' → ')", 1),
        ("print(' → '.join(x))", 1),
        ("print('✔' if x else '-')", 1),
        ("sys.stdout.write('✔')", 1),
        ("print('✔', file=sys.stdout)", 1),
        ("print('✔', file=sys.stderr)", 0),
        ("sys.stderr.write('✔')", 0),
        ("def f(MARK):\n    print(MARK)\nMARK = '✔'", 0),
        ("for s in (sys.stdout, sys.stderr):\n    s.reconfigure(errors='replace')\nprint('✔')", 0),
        ("sys.stdout = codecs.getwriter('utf-8')(sys.stdout.detach())\nprint('✔')", 0),
        ("sys.stdout = open(sys.stdout.fileno(), 'w', encoding='utf-8')\nprint('✔')", 0),
        ("x = io.TextIOWrapper(io.BytesIO())\nprint('✔')", 1),
    ],
)
def test_output(text: str, count: int) -> None:
    """Constants and what is put together from them are printed too; stderr escapes what it can't print."""
    assert len(rules(text, "WIN05")) == count


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("f'{x:%H:%-M}'", 1),
        ("'{:%-j}'.format(x)", 1),
        ("'{0} {when:%-d %B}'.format(1, when=x)", 1),
        ("format(x, '%-I %p')", 1),
        ("DAY = '%-d'\nf'{x:{DAY}}'", 1),
        ("DAY = '%-d'\nx.strftime(DAY + '.%m')", 1),
        ("x.strftime('%%%-d')", 1),
        ("x.strftime('%%-d %%%%-m')", 0),
        ("f'{x:%}'", 0),
        ("f'{x:-10d}'", 0),
        ("'{:-10}'.format(x)", 0),
        ("FORMAT = '%-d'", 0),
        ("if os.name != 'nt':\n    x.strftime('%-d')", 0),
        ("try:\n    x.strftime('%-d')\nexcept ValueError:\n    x.strftime('%d')", 0),
    ],
)
def test_dates(text: str, count: int) -> None:
    """Formats stand in strftime(), in format() and in f-strings."""
    assert len(rules(text, "WIN06")) == count
