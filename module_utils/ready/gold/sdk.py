# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What the analyser knows of kailash 2.65.0, kailash-dataflow 2.20.1 and kailash-nexus 2.16.0, as released."""

from __future__ import annotations

from collections.abc import Iterable

#: Where a name may be imported from -> the module that defines it (read in the released sources).
ALIASES = {
    "kailash.WorkflowBuilder": "kailash.workflow.builder.WorkflowBuilder",
    "kailash.workflow.WorkflowBuilder": "kailash.workflow.builder.WorkflowBuilder",
    "kailash.LocalRuntime": "kailash.runtime.local.LocalRuntime",
    "kailash.runtime.LocalRuntime": "kailash.runtime.local.LocalRuntime",
    "kailash.runtime.AsyncLocalRuntime": "kailash.runtime.async_local.AsyncLocalRuntime",
    "kailash.nodes.Node": "kailash.nodes.base.Node",
    "kailash.nodes.NodeParameter": "kailash.nodes.base.NodeParameter",
    "kailash.nodes.NodeRegistry": "kailash.nodes.base.NodeRegistry",
    "kailash.nodes.register_node": "kailash.nodes.base.register_node",
    "kailash.nodes.AsyncNode": "kailash.nodes.base_async.AsyncNode",
    "dataflow.DataFlow": "dataflow.core.engine.DataFlow",
    "nexus.Nexus": "nexus.core.Nexus",
}

WORKFLOW = "kailash.workflow.builder.WorkflowBuilder"
NODE = "kailash.nodes.base.Node"
ASYNC_NODE = "kailash.nodes.base_async.AsyncNode"
GOVERNED = "kailash.nodes.governance.SecureGovernedNode"
REGISTER = "kailash.nodes.base.register_node"
PARAMETER = "kailash.nodes.base.NodeParameter"
RUNTIMES = frozenset(
    {
        "kailash.runtime.local.LocalRuntime",
        "kailash.runtime.async_local.AsyncLocalRuntime",
        "kailash.runtime.docker.DockerRuntime",
        "kailash.runtime.parallel.ParallelRuntime",
    }
)

#: The fields of NodeParameter; pydantic ignores every other keyword.
FIELDS = frozenset(
    {
        *("name", "type", "required", "default", "description", "choices", "enum", "default_value", "category"),
        *("display_name", "icon", "input", "output", "auto_map_from", "auto_map_primary", "workflow_alias"),
    }
)

#: Class of the SDK -> the classes that it inherits from.
ANCESTORS: dict[str, tuple[str, ...]] = {
    "kailash.nodes.base.TypedNode": (NODE,),
    "kailash.nodes.base.AsyncTypedNode": ("kailash.nodes.base.TypedNode",),
    "kailash.nodes.base_with_acl.AsyncNodeWithAccessControl": (ASYNC_NODE,),
    ASYNC_NODE: (NODE,),
    GOVERNED: (NODE,),
    "kailash.nodes.governance.EnterpriseNode": (GOVERNED,),
    "kailash.nodes.governance.DevelopmentNode": (GOVERNED,),
    "kailash.nodes.base_cycle_aware.CycleAwareNode": (NODE,),
    "kailash.nodes.base_with_acl.NodeWithAccessControl": (NODE,),
}

#: examples/catalogue/governed, under the names that its classes have in their modules and at its top.
REFERENCE_NODES = ("governed.nodes.GovernedNode", "governed.GovernedNode")
REFERENCE_PARAMETERS = ("governed.parameters.SafeParameter", "governed.SafeParameter")
ANCESTORS |= dict.fromkeys(REFERENCE_NODES, (GOVERNED,)) | dict.fromkeys(REFERENCE_PARAMETERS, (PARAMETER,))
_NODES = "kailash.nodes."
#: Bases that are abstract: who inherits from them alone has to define what a node does.
NODES = frozenset({NODE, *ANCESTORS} - {*REFERENCE_PARAMETERS})


def canonical(dotted: str) -> str:
    """Return the name under which the SDK defines what may be imported from several places."""
    if dotted in ALIASES:
        return ALIASES[dotted]
    head, _, tail = dotted.rpartition(".")
    if head in ALIASES:
        return f"{ALIASES[head]}.{tail}"
    return dotted


def is_node(ancestors: Iterable[str]) -> bool:
    """Tell whether a class is a node, by the resolved names of what it inherits from.

    What the SDK's own modules of nodes define under a name that ends in Node is one, also where it is not listed above.
    """
    return any(
        name in NODES or (name.startswith(_NODES) and name.rpartition(".")[2].endswith("Node")) for name in ancestors
    )
