# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Keep lines of the user's files out of error messages."""

from __future__ import annotations

from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = r"""
name: ready_sources
type: aggregate
short_description: Keep lines of the user's files out of error messages
description:
  - Ansible shows the lines around a fault of a template or of YAML, C(no_log) or not. In C(group_vars) such a line may
    hold a proxy's password or the key of a bucket. With this plugin it shows file, line and column alone.
requirements: [beside the playbook, or in C(callback_plugins) of C(ansible.cfg)]
"""


def _show_places_only() -> None:
    """Make Ansible's errors name a place and quote nothing; workers are forked later and inherit it.

    It has no public interface. Its own RedactAnnotatedSourceContext leaves out the place as well.
    """
    try:
        from ansible._internal._datatag._tags import Origin
        from ansible._internal._errors._error_utils import SourceContext
    except ImportError:  # another ansible-core than the locked one
        return

    def from_origin(cls: Any, origin: Any) -> Any:
        return cls.error(None, origin)

    def from_value(cls: Any, value: Any) -> Any:
        origin = value if isinstance(value, Origin) else Origin.get_tag(value)
        return None if value is None else cls.error(None, origin or Origin.UNKNOWN)

    SourceContext.from_origin = classmethod(from_origin)
    SourceContext.from_value = classmethod(from_value)


class CallbackModule(CallbackBase):
    """See DOCUMENTATION. It prints nothing."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "ready_sources"
    CALLBACK_NEEDS_ENABLED = False  # from another directory Ready's ansible.cfg is not read

    def __init__(self) -> None:
        super().__init__()
        _show_places_only()
