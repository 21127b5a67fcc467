# judged: GS15
from kailash.runtime.local import LocalRuntime
from kailash.workflow.builder import WorkflowBuilder


class Service:
    def __init__(self):
        self.runtime = LocalRuntime()

    def run(self, flow: WorkflowBuilder):
        results, _ = self.runtime.execute(flow.build())
        # found: GS15
        first = results.reader
        # fine: GS15
        second = results["writer"]["result"]
        return first, second


def many(runtime: LocalRuntime, flow: WorkflowBuilder):
    found, run_id = runtime.execute(flow.build())
    # fine: GS15
    for name in found.keys():
        # fine: GS15
        print(found[name]["result"], run_id)
    # found: GS15
    return found.summary.result
