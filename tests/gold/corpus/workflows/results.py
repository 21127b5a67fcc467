# judged: GS15
from types import SimpleNamespace

from kailash.runtime.local import LocalRuntime
from kailash.workflow.builder import WorkflowBuilder

flow = WorkflowBuilder()
with LocalRuntime() as runtime:
    results, run_id = runtime.execute(flow.build())
    # fine: GS15
    value = results["reader"]["result"]
    # found: GS15
    value = results.reader.result
    # fine: GS15
    value = results.get("reader", {}).get("result")
    # fine: GS15
    names = sorted(results.keys())
    # fine: GS15
    pairs = list(results.items())
    # found: GS15
    value = results["reader"].result


def other():
    outcome, _ = LocalRuntime().execute(flow.build())
    # found: GS15
    return outcome.writer


def elsewhere():
    results = SimpleNamespace(reader=1)
    # fine: GS15
    return results.reader


def given(results):
    # fine: GS15
    return results.summary
