"""A base of nodes that rejects injections before a node's own code runs."""

from __future__ import annotations

import logging
from abc import ABC
from enum import Enum
from typing import Any

from kailash.nodes.governance import SecureGovernedNode

from governed.parameters import SafeParameter, texts
from governed.rules import InjectionError

_LOG = logging.getLogger(__name__)
#: Types whose values hold no text.
_PLAIN = (int, float, bool, complex)


class GovernedNode(SecureGovernedNode, ABC):
    """SecureGovernedNode whose parameters are validated.

    The released base passes every value on, ignores a node's configuration in a workflow, and prints what it audits.
    This one takes configuration and defaults, rejects values by the rules of their SafeParameter, and logs.

    Subclasses define `get_parameters()` and `run_governed(**kwargs)`, and are registered by `@register_node()`.

    Raises:
        InjectionError: for a value that a rule rejects, before `run_governed` is called.
        TypeError: when the node is made, for a parameter that can hold text and is no SafeParameter.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        """Make the node."""
        _refuse_bare(self)
        super().__init__(*args, **kwargs)

    def audit_log(self, action: str, details: dict[str, Any]) -> None:
        """Log what the SDK's mixin prints on standard output: names, never values."""
        _LOG.info("%s: %s: %s", type(self).__name__, action, ", ".join(sorted(details)))

    def validate_and_sanitize_inputs(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Return the inputs as `run_governed` gets them: what is declared, completed by configuration and defaults."""
        parameters = self.get_parameters()
        given = {name: value for name, value in self.config.items() if name in parameters}
        given |= {name: value for name, value in inputs.items() if name in parameters}
        for name, parameter in parameters.items():
            if name not in given:
                given[name] = parameter.default
            if given[name] is None:  # the SDK's check of types has no room for it
                del given[name]
                continue
            if isinstance(parameter, SafeParameter):
                parameter.check(given[name])
            elif choices := parameter.choices or parameter.enum:  # the SDK shows them to users, and checks nothing
                if given[name] not in choices:
                    raise InjectionError(f"{name}: found a value that is none of its {len(choices)} choices")
            elif next(texts(given[name]), None) is not None:
                raise InjectionError(
                    f"{name}: found a text, expected {getattr(parameter.type, '__name__', 'its type')}"
                )
        return given


def _refuse_bare(node: GovernedNode) -> None:
    """Raise TypeError for a parameter that can hold text and has no rules."""
    for name, parameter in node.get_parameters().items():
        kind = parameter.type
        plain = isinstance(kind, type) and issubclass(kind, (*_PLAIN, Enum))
        if not isinstance(parameter, SafeParameter) and not plain and not (parameter.choices or parameter.enum):
            raise TypeError(f"{type(node).__name__}: the parameter {name} can hold text; declare it as SafeParameter")
