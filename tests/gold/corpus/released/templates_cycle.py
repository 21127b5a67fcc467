# judged: GS20
# from kailash 2.65.0: kailash/workflow/templates.py, lines 139-146, 177-185
def optimization_cycle(
    workflow: Workflow,
    processor_node: str,
    evaluator_node: str,
    convergence: str = "quality > 0.9",
    max_iterations: int = 50,
    cycle_id: str | None = None,
) -> str:
    # Connect processor to evaluator
    workflow.connect(processor_node, evaluator_node)

    # Close the cycle with convergence condition using new API
    # fine: GS20
    workflow.create_cycle(cycle_id).connect(
        evaluator_node, processor_node
    ).max_iterations(max_iterations).converge_when(convergence).build()

    return cycle_id
