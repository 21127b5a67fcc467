# judged: GS11
from kailash.runtime.local import LocalRuntime
from kailash.workflow.builder import WorkflowBuilder
from kailash.workflow.builder import WorkflowBuilder as WB
from kailash.workflow.graph import Workflow

workflow = WorkflowBuilder()
runtime = LocalRuntime()
# fine: GS11
results, run_id = runtime.execute(workflow.build())
# found: GS11
results, run_id = runtime.execute(workflow)
# found: GS11
workflow.execute(runtime)
built = workflow.build()
# fine: GS11
results, run_id = runtime.execute(built)
# fine: GS11
results, run_id = runtime.execute(workflow=workflow.build())
# found: GS11
results, run_id = runtime.execute(workflow=workflow)


def context_manager():
    flow = WB()
    with LocalRuntime() as active:
        # fine: GS11
        active.execute(flow.build(), parameters={})
        # found: GS11
        active.execute(flow, parameters={})


def annotated(flow: WorkflowBuilder, engine: LocalRuntime):
    # found: GS11
    return engine.execute(flow)


def annotated_text(flow: "WorkflowBuilder", engine: LocalRuntime):
    # found: GS11
    return engine.execute(flow)


def ready_made(flow: Workflow, engine: LocalRuntime):
    # fine: GS11
    return engine.execute(flow)


def unknown(flow, engine: LocalRuntime):
    # fine: GS11
    return engine.execute(flow)


def rebound(engine: LocalRuntime):
    flow = WorkflowBuilder()
    flow = flow.build()
    # fine: GS11
    return engine.execute(flow)


def walrus(engine: LocalRuntime):
    if (made := WB().build()) is not None:
        # fine: GS11
        engine.execute(made)


def database(cursor, session, statement):
    # fine: GS11
    cursor.execute(statement)
    # fine: GS11
    session.execute(statement)
    # fine: GS11
    workflow_cursor = cursor.execute("select 1")
    return workflow_cursor


class Command:
    def execute(self, target):
        return target


# fine: GS11
Command().execute(runtime)
