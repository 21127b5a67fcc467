"""What is wrong with a stack, from facts as `CheckRunner.security` finds them: all well, then each fault."""

from __future__ import annotations

import copy
from datetime import date
from typing import Any

import pytest
from ready.security.probes import SECURITY_PROBES
from ready.security.verdicts import LEAKS, unread_findings
from ready.stack.definitions import DefinitionError, load_definitions, resolve_stack

from tests.unit.conftest import VARIABLES
from tests.unit.security.secure import ANY, attempts, check, judged, well, with_verdict


def test_all_is_well(stack: dict[str, Any]) -> None:
    """Only the waivers that are needed are used, and each check stands once."""
    part = judged(stack, well(stack))
    names = [(item["service"], item["id"]) for item in part.results["checks"]]
    assert len(names) == len(set(names))
    assert part.verdict == "waived"
    assert with_verdict(part, "fail") == with_verdict(part, "insufficient_data") == set()
    assert with_verdict(part, "waived") == {(name, "5.15") for name in stack["services"]}
    assert check(part, "redis", "routed")["waiver"]["state"] == "not needed"
    assert with_verdict(part, "not_applicable") == {(name, "5.2") for name in stack["services"]}
    assert part.next == []
    assert [row["service"] for row in part.rows] == [*stack["services"], "stack"]


@pytest.mark.parametrize("listener", [ANY, "::", "192.0.2.2"])
def test_what_really_listens_counts(stack: dict[str, Any], listener: str) -> None:
    """Whatever Docker's settings say."""
    found = well(stack)
    found["host"]["listening"].append(["tcp", listener, 6379])
    assert check(judged(stack, found), "redis", "5.14")["verdict"] == "fail"


@pytest.mark.parametrize("name", SECURITY_PROBES)
def test_each_attack_that_succeeds_is_a_failure(whole_stack: dict[str, Any], name: str) -> None:
    """And one whose outcome is unknown is not called well."""
    stack = whole_stack
    for number, attack in enumerate(attempts(stack, name)):
        for outcome, verdict in (("succeeded", "fail"), ("unknown", "insufficient_data")):
            found = well(stack)
            stack["services"][name]["waivers"] = []
            found["services"][name]["attempts"][number] |= {"outcome": outcome, "found": "what it got"}
            part = judged(stack, found)
            if (name, attack["id"], outcome) == ("chromadb", "no_password", "succeeded"):
                verdict = "pass"  # on loopback alone, that is how it is
            done = check(part, name, attack["id"])
            assert done["verdict"] == verdict, attack
            assert "what it got" in done["found"]


def published(name: str, bind: str) -> dict[str, Any]:
    """Return the stack with one service published elsewhere."""
    return resolve_stack(load_definitions(), VARIABLES | {f"{name}_bind_address": bind})


def test_without_authentication_on_loopback_alone() -> None:
    """ChromaDB that answers anybody is a failure as soon as it is published further."""
    stack = published("chromadb", "192.0.2.2")
    found = well(stack)
    index = [item["id"] for item in found["services"]["chromadb"]["attempts"]].index("no_password")
    found["services"]["chromadb"]["attempts"][index] |= {"outcome": "succeeded", "found": "HTTP 200"}
    assert check(judged(stack, found), "chromadb", "no_password")["verdict"] == "fail"


def test_somebody_else_is_answered(stack: dict[str, Any]) -> None:
    """On the host's addresses, or on the container's own; each names where and from where."""
    stack["services"]["redis"]["waivers"] = []
    found = well(stack)
    found["outside"]["neighbour"]["answered"] = [["192.0.2.2", 6379], ["172.18.0.5", 6379]]
    found["outside"]["container"]["answered"] = [["172.18.0.1", 6379]]
    part = judged(stack, found)
    assert with_verdict(part, "fail") - {("redis", "5.15")} == {("redis", "outside"), ("redis", "routed")}
    text = check(part, "redis", "outside")["found"]
    assert "192.0.2.2:6379 answers a machine on the host's link" in text
    assert "172.18.0.1:6379 answers a container on another Docker network" in text
    assert any("docs/security.md, outside" in line for line in part.next)


@pytest.mark.parametrize(("bind", "answered", "verdict"), [
    ("192.0.2.2", "192.0.2.2", "pass"), ("192.0.2.2", "172.18.0.1", "fail"), (ANY, "172.18.0.1", "pass"),
])  # fmt: skip
def test_published_on_purpose(bind: str, answered: str, verdict: str) -> None:
    """Where the inventory publishes it, an answer is no fault; the wildcard address itself is one (5.14)."""
    stack = published("redis", bind)
    found = well(stack)
    found["outside"]["neighbour"]["answered"] = [[answered, 6379]]
    part = judged(stack, found)
    assert check(part, "redis", "outside")["verdict"] == verdict
    assert check(part, "redis", "5.14")["verdict"] == ("fail" if bind == ANY else "pass")


def test_no_second_namespace_is_no_proof(stack: dict[str, Any]) -> None:
    """The reason is reported; an answer from the other place still is a failure."""
    found = well(stack)
    found["outside"]["container"] = {"answered": None, "fault": "Docker runs elsewhere"}
    done = check(judged(stack, found), "redis", "outside")
    assert (done["verdict"], "Docker runs elsewhere" in done["found"]) == ("insufficient_data", True)
    found["outside"]["neighbour"]["answered"] = [["192.0.2.2", 6379]]
    assert check(judged(stack, found), "redis", "outside")["verdict"] == "fail"


@pytest.mark.parametrize("place", LEAKS)
def test_a_secret_on_show(stack: dict[str, Any], place: str) -> None:
    """Whose and where is reported; not having looked is not having found nothing."""
    found = well(stack)
    found["leaks"][place]["found"] = ["the password of redis's app (plain) in docker inspect x"]
    part = judged(stack, found)
    assert with_verdict(part, "fail") == {("stack", place)}
    assert any("./ready secrets rotate" in line for line in part.next)
    found["leaks"][place] = {"fault": "no vault key"}
    assert check(judged(stack, found), "stack", place)["found"] == "no vault key"
    del found["leaks"][place]
    assert check(judged(stack, found), "stack", place)["verdict"] == "insufficient_data"


def test_passwords_that_were_not_read_were_not_looked_for(stack: dict[str, Any]) -> None:
    """Four of twelve are not all; a stack without accounts has none."""
    found = well(stack) | {"passwords": 4}
    assert "4 of the stack's 12 passwords" in check(judged(stack, found), "stack", "logs")["found"]
    alone = resolve_stack(load_definitions(), VARIABLES | {"ready_services": ["chromadb"]})
    assert check(judged(alone, well(alone)), "stack", "logs")["verdict"] == "not_applicable"


def test_a_service_that_is_down(stack: dict[str, Any]) -> None:
    """Nothing is known of it, and why; the others are judged all the same."""
    found = well(stack)
    its = found["services"]["redis"]
    its |= {"container": None, "container_fault": "container ready-redis is exited", "attempts": []}
    its |= {"attempts_fault": "no answer within 20 s", "targets": {"host": [], "container": []}}
    part = judged(stack, found)
    assert part.verdict == "insufficient_data"
    assert {service for service, _ in with_verdict(part, "insufficient_data")} == {"redis"}
    assert "is exited" in check(part, "redis", "5.4")["found"]
    assert "no answer within 20 s" in check(part, "redis", "attacks")["found"]
    assert any("./ready check again" in line for line in part.next)


def test_docker_does_not_answer(stack: dict[str, Any]) -> None:
    """Then nothing is known of anything, and the evidence says so."""
    part = judged(stack, unread_findings(stack, "the Docker daemon does not answer"))
    assert part.verdict == "insufficient_data"
    assert with_verdict(part, "pass") == with_verdict(part, "fail") == set()


def test_waivers_count_through_their_last_day(stack: dict[str, Any]) -> None:
    """Then the check fails, and the table says that the waiver has ended."""
    stack["services"]["redis"]["waivers"] = [{"id": "5.15", "reason": "because", "until": "2026-11-24"}]
    found = well(stack)
    done = check(judged(stack, found), "redis", "5.15")
    assert (done["verdict"], done["waiver"]["reason"]) == ("waived", "because")
    part = judged(stack, found, date(2026, 11, 25))
    assert with_verdict(part, "fail") == {("redis", "5.15")}
    assert check(part, "redis", "5.15")["waiver"]["state"] == "expired"
    assert any("its waiver ended on 2026-11-24" in row["detail"] for row in part.rows)


def test_a_waiver_of_nothing_is_named(stack: dict[str, Any]) -> None:
    """A slip of the pen must not look like an accepted risk."""
    stack["services"]["redis"]["waivers"].append({"id": "5.155", "reason": "x", "until": "2027-01-01"})
    part = judged(stack, well(stack))
    assert "Next: redis_waivers: no check is called 5.155; remove or correct it." in part.next


@pytest.mark.parametrize(
    ("waiver", "message"),
    [
        ({"id": "5.15", "reason": "", "until": "2027-01-01"}, "the waiver of 5.15 has no reason"),
        ({"id": "5.15", "reason": "x", "until": "soon"}, "until: found 'soon', expected a date such as 2027-12-31"),
        ({"id": "5.15", "reason": "x"}, "expected the keys id, reason, until"),
        ("5.15", "found 5.15, expected the keys"),
    ],
)
def test_waivers_that_can_not_count_end_the_run(waiver: Any, message: str) -> None:
    """Before anything is done."""
    with pytest.raises(DefinitionError, match="redis_waivers") as caught:
        resolve_stack(load_definitions(), VARIABLES | {"redis_waivers": [waiver]})
    assert message in str(caught.value)


def test_a_date_may_be_one_of_yaml() -> None:
    """Unquoted, YAML makes a date of it."""
    waiver = {"id": "5.15", "reason": "x", "until": date(2027, 1, 1)}
    stack = resolve_stack(load_definitions(), VARIABLES | {"redis_waivers": [copy.copy(waiver)]})
    assert stack["services"]["redis"]["waivers"] == [{"id": "5.15", "reason": "x", "until": "2027-01-01"}]
