# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Values without Ansible's tags."""

from __future__ import annotations

from ready.common.plain import plain


def test_plain_takes_the_tags_off() -> None:
    """Ansible's values are subclasses of JSON's types; a bool is not an int."""

    class Tagged(str):
        __slots__ = ()

    value = plain({Tagged("a"): (Tagged("b"), True, 1, 2.5, None)})
    assert value == {"a": ["b", True, 1, 2.5, None]}
    assert [type(item) for item in value["a"][:4]] == [str, bool, int, float]
    assert type(next(iter(value))) is str
