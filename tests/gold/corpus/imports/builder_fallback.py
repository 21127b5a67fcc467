# judged: GS03
try:
    # fine: GS03
    from kailash.workflow.builder import WorkflowBuilder
except ImportError:
    # found: GS03
    from kailash.workflow import WorkflowBuilder
