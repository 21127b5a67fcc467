# judged: GS03
# found: GS03
from kailash.workflow import WorkflowBuilder
# found: GS03
from kailash.workflow import WorkflowBuilder as WB
# found: GS03
from kailash.runtime import LocalRuntime
# found: GS03
from kailash.runtime import AsyncLocalRuntime, LocalRuntime as LR
# found: GS03
from kailash import LocalRuntime as Top
# fine: GS03
from kailash.workflow.builder import WorkflowBuilder as Right
# fine: GS03
from kailash.runtime.local import LocalRuntime as RightRuntime
# fine: GS03
from kailash.runtime.async_local import AsyncLocalRuntime as RightAsync
# fine: GS03
import kailash.workflow.builder as builder_module
# fine: GS03
from kailash.workflow.graph import Workflow
# fine: GS03
from flows.workflow import WorkflowBuilder as Other


def late():
    # found: GS03
    from kailash.runtime import LocalRuntime as Late

    return Late
