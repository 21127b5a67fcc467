# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What became of a workflow's nodes, and what a model is given."""

import pytest

from catalogue.ingest import DONE, FAILED, ROWS, SERVICES, SKIPPED, handlers, judge, workflow
from catalogue.steps import facts


@pytest.mark.parametrize(
    ("name", "result", "verdict"),
    [
        ("cache", {"key": "x"}, DONE),
        ("cache", {"failed": True, "error": "gone"}, FAILED),
        ("cache", {"error": "gone"}, FAILED),
        ("vectors", {"vectors": [], "failure": "APIConnectionError"}, FAILED),
        ("passages", {"ids": [], "skipped": True}, SKIPPED),
        ("product", {"record": {"id": "x"}}, DONE),
        ("product", {"created": True}, FAILED),
    ],
)
def test_a_failure_given_as_data_is_a_failure(name: str, result: dict[str, object], verdict: str) -> None:
    """A write without a row is one as well."""
    assert judge(name, {name: result})[0] == verdict


def test_a_node_that_did_not_run_is_not_done() -> None:
    """Nothing is no success."""
    assert judge("links", {})[0] == SKIPPED


def test_a_model_is_given_what_the_stores_returned() -> None:
    """And no sentence about what they lack."""
    product = {"name": "Pump", "price": 9.5, "stock": 3}
    assert facts(product, {"supplier": "Nordwind"}, ["It is green."]) == [
        "Pump is supplied by Nordwind.",
        "Pump costs 9.50 euros.",
        "3 pieces of Pump are in stock.",
        "It is green.",
    ]


def test_the_workflow_has_a_node_for_each_step() -> None:
    """Without PostgreSQL it has those of the other services."""
    import catalogue.nodes  # noqa: F401 - it registers them

    assert set(workflow(rows=False).nodes) == set(SERVICES) - set(ROWS)


def test_handlers_answer_what_the_cli_prints() -> None:
    """It prints a dict named result, and nothing else."""

    class Echo:
        def ingest(self, document: str) -> dict[str, str]:
            return {"document": document}

        def ask(self, question: str) -> dict[str, str]:
            return {"question": question}

    its = handlers(Echo())  # type: ignore[arg-type]
    assert its["product_ingest"](document="a") == {"result": {"document": "a"}}
    assert its["catalogue_ask"](question="b") == {"result": {"question": "b"}}
