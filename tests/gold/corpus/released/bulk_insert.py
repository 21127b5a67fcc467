# judged: GS11, GS13, GS15
# from kailash-dataflow 2.20.1: dataflow/testing/dataflow_test_utils.py, lines 18-19, 150-154, 157-169
from kailash.runtime.local import LocalRuntime
from kailash.workflow.builder import WorkflowBuilder
def bulk_insert_test_data(
    self, model_name: str, data: List[Dict[str, Any]]
) -> Dict[str, Any]:
    """Bulk insert test data using DataFlow bulk nodes."""
    workflow = WorkflowBuilder()
    workflow.add_node(
        f"{model_name}BulkCreateNode",
        "bulk_insert",
        {
            "data": data,
            "batch_size": min(1000, len(data)),
            "conflict_resolution": "skip",
        },
    )

    # Execute workflow
    # fine: GS11
    results, _ = self.runtime.execute(workflow.build())
    # fine: GS15
    return results["bulk_insert"]
