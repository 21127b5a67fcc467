# judged: GS05
# from kailash 2.65.0: kailash/nodes/code/python.py, lines 614, 736-738
class FunctionWrapper:
    # fine: GS05
    def execute(self, inputs: dict[str, Any]) -> dict[str, Any]:
        """Execute the wrapped function with proper serialization."""
        result = self.executor.execute_function(self.func, inputs)
