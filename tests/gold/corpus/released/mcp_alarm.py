# judged: WIN02
# from kailash-mcp 0.6.0: kailash_mcp/server.py, lines 2629-2646
if timeout:
    import signal

    def timeout_handler(signum, frame):
        raise TimeoutError(
            f"Tool {tool_name} timed out after {timeout}s"
        )

    # found: WIN02
    old_handler = signal.signal(signal.SIGALRM, timeout_handler)
    # found: WIN02
    signal.alarm(int(timeout))

    try:
        result = func(*args, **clean_kwargs)
    finally:
        # found: WIN02
        signal.alarm(0)
        # found: WIN02
        signal.signal(signal.SIGALRM, old_handler)
else:
    result = func(*args, **clean_kwargs)
