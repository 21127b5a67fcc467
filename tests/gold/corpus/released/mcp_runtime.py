# judged: GS03
# from kailash-nexus 2.16.0: nexus/transports/mcp.py, lines 184-185, 189-198
def _get_shared_runtime(self):
    """Return a shared AsyncLocalRuntime, creating once on first use.
    """
    if not hasattr(self, "_shared_runtime") or self._shared_runtime is None:
        injected = getattr(self, "_injected_runtime", None)
        if injected is not None:
            self._shared_runtime = injected.acquire()
        else:
            # found: GS03
            from kailash.runtime import AsyncLocalRuntime

            self._shared_runtime = AsyncLocalRuntime()
    return self._shared_runtime
