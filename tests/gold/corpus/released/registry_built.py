# judged: GS11
# from kailash-dataflow 2.20.1: dataflow/core/model_registry.py, lines 296, 307-311
built = workflow.build() if hasattr(workflow, "build") else workflow
runtime = self.runtime

if not isinstance(runtime, AsyncLocalRuntime):
    # Sync runtime — direct path, nothing to bridge.
    # fine: GS11
    return runtime.execute(built)
