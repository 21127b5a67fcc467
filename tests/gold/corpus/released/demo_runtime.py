# judged: GS03
# from kailash-dataflow 2.20.1: dataflow/migrations/fk_aware_system_demo.py, lines 65-71
try:
    # fine: GS03
    from kailash.runtime.local import LocalRuntime
    # fine: GS03
    from kailash.workflow.builder import WorkflowBuilder

    CORE_SDK_AVAILABLE = True
except ImportError:
    CORE_SDK_AVAILABLE = False
