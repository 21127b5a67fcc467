# judged: GS03
# from kailash 2.65.0: kailash/middleware/core/agent_ui.py, lines 365-370
# Core components
self.event_stream = EventStream(enable_batching=True)
# fine: GS03
from kailash.runtime.local import LocalRuntime

if runtime is not None:
    self.runtime = runtime.acquire()
