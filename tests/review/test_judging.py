"""Several opinions, taking one back, what comes late, and what time does."""

from __future__ import annotations

import dataclasses
from datetime import timedelta

import msgspec
import pytest

from pilotage.decisions.records import Said
from pilotage.govern import flow as governing
from pilotage.govern.flow import arriving
from pilotage.govern.records import SYSTEM
from pilotage.platform.clock import FixedClock
from pilotage.platform.errors import Conflict, InvalidRequest, NotAllowed
from pilotage.platform.workspace import Workspace
from pilotage.review import flow
from pilotage.review.records import Case
from pilotage.usecase import flow as defining
from tests.review.arranging import NAME, go_live, of_kind, recorded, reviewer
from tests.review.test_intake import adopted

pytestmark = pytest.mark.both_stores
ANNA, BEN, CLEO = reviewer("anna"), reviewer("ben"), reviewer("cleo")


@pytest.fixture
def live(work: Workspace) -> Workspace:
    """In assist; every uncertain case needs two people."""
    adopted(work, "  four_eyes: [uncertain]\n")
    go_live(work)
    return work


def one(work: Workspace, **changes: object) -> Case:
    recorded(work, review=True, **changes)
    flow.take_in(work)
    return flow.queue(work, NAME)[0]


def says(work: Workspace, case: Case, person: object, verdict: str, right: Said | None = None) -> Case:
    held = flow.lease(work, case.id, person)  # type: ignore[arg-type]
    reason = "" if verdict == "approved" else "Data looks wrong"
    return flow.submit(work, case.id, held.fence, verdict, right, reason, person)  # type: ignore[arg-type]


def test_two_who_agree_decide_and_the_second_is_another_person(live: Workspace) -> None:
    case = one(live)

    after_first = says(live, case, ANNA, "approved")

    assert (after_first.state, after_first.verdict_by) == ("open", "")
    assert flow.lease_next(live, NAME, ANNA) is None
    with pytest.raises(NotAllowed, match="anna has judged this case already"):
        flow.lease(live, case.id, ANNA)
    decided = says(live, case, BEN, "approved")
    assert (decided.state, decided.verdict_by, decided.verdict_answer) == ("approved", "ben", True)
    assert [entry.action for entry in governing.entries(live, action="case.approved")] == ["case.approved"]


def test_somebody_whose_two_accounts_were_made_one_is_no_second_person(live: Workspace) -> None:
    at_provider = dataclasses.replace(
        live, settings=msgspec.structs.replace(live.settings, oidc_issuer="https://id.example")
    )
    governing.add_person(live, SYSTEM, "anna", ())
    beside = arriving.arrived(at_provider, {"sub": "u-1", "preferred_username": "anna.berg"})
    case = one(live)
    says(live, case, reviewer(beside.name), "approved")
    held = flow.lease(live, case.id, ANNA)

    arriving.link(at_provider, governing.person_named(live, "anna"), "u-1", in_place_of=beside.name)

    with pytest.raises(NotAllowed, match="anna has judged this case already"):
        flow.submit(live, case.id, held.fence, "approved", None, "", ANNA)
    flow.release_lease(live, case.id, held.fence, ANNA)
    with pytest.raises(NotAllowed, match="anna has judged this case already"):
        flow.lease(live, case.id, ANNA)
    assert flow.lease_next(live, NAME, ANNA) is None
    assert says(live, case, BEN, "approved").state == "approved"


def test_where_two_differ_a_third_arbitrates(live: Workspace) -> None:
    case = one(live)
    says(live, case, ANNA, "approved")
    assert says(live, case, BEN, "corrected", False).state == "open"
    for judged in (ANNA, BEN):
        with pytest.raises(NotAllowed):
            flow.lease(live, case.id, judged)

    decided = says(live, case, CLEO, "corrected", False)

    assert (decided.state, decided.verdict_by, decided.verdict_answer) == ("corrected", "cleo", False)
    assert [(each.round, each.person) for each in flow.opinions_on(live, case.id)] == [
        (1, "anna"),
        (2, "ben"),
        (3, "cleo"),
    ]


def test_an_arbiter_who_agrees_with_nobody_decides_nothing(live: Workspace) -> None:
    case = one(live)
    says(live, case, ANNA, "approved")
    says(live, case, BEN, "corrected", False)

    third = says(live, case, CLEO, "rejected")
    assert (third.state, third.verdict_by) == ("open", "")
    fourth = says(live, case, reviewer("dora"), "corrected", False)

    assert (fourth.state, fourth.verdict_by, fourth.verdict_answer) == ("corrected", "dora", False)
    assert [entry.subject for entry in governing.entries(live, action="case.corrected")] == [case.id]


def test_five_who_all_differ_are_the_last_who_are_asked(work: Workspace, clock: FixedClock) -> None:
    text = of_kind("number").text.replace("  deadline: 1 hour\n", "  deadline: 1 hour\n  four_eyes: [uncertain]\n")
    defining.adopt(work, defining.parse_definition(text, "late_arrival.yaml"), SYSTEM)
    go_live(work)
    case = one(work, answer=7.0, model_answer=7.0, rule_answer=5.0, probability=None, band=None)
    for number, name in enumerate(("anna", "ben", "cleo", "dora", "emil"), 20):
        assert says(work, case, reviewer(name), "corrected", float(number)).state == "open"

    assert flow.lease_next(work, NAME, reviewer("fred")) is None
    with pytest.raises(Conflict, match=r"5 people have judged case .* and no two agree"):
        flow.lease(work, case.id, reviewer("fred"))
    clock.advance(timedelta(days=7, seconds=1))
    flow.tend(work)
    lapsed = flow.find_case(work, case.id)
    assert (lapsed.state, lapsed.verdict_by, lapsed.verdict_answer) == ("lapsed", "", 5.0)


def test_a_verdict_can_be_taken_back_for_a_minute_and_others_are_told(live: Workspace, clock: FixedClock) -> None:
    case = one(live)
    says(live, case, ANNA, "approved")
    says(live, case, BEN, "approved")

    clock.advance(timedelta(seconds=59))
    with pytest.raises(Conflict, match="is not yours"):
        flow.undo(live, case.id, ANNA)
    again = flow.undo(live, case.id, BEN)

    assert (again.state, again.verdict_by, again.verdict_answer) == ("open", "", None)
    assert [entry.detail["was"] for entry in governing.entries(live, action="case.reopened")] == ["approved"]
    assert says(live, case, BEN, "rejected").state == "open"  # ben may judge again; anna approved
    clock.advance(timedelta(seconds=61))
    with pytest.raises(Conflict, match=r"taken back for 60 seconds; yours on case .* is older"):
        flow.undo(live, case.id, BEN)


def test_nothing_is_taken_back_under_the_hands_of_the_next_reviewer(live: Workspace) -> None:
    case = one(live)
    says(live, case, ANNA, "approved")
    flow.lease(live, case.id, BEN)

    with pytest.raises(Conflict, match="ben is judging case"):
        flow.undo(live, case.id, ANNA)


def test_a_verdict_after_its_lease_is_not_counted_and_not_lost(live: Workspace, clock: FixedClock) -> None:
    case = one(live)
    held = flow.lease(live, case.id, ANNA)
    clock.advance(timedelta(minutes=6))
    says(live, case, BEN, "approved")

    with pytest.raises(Conflict, match="not counted"):
        flow.submit(live, case.id, held.fence, "corrected", False, "The crew told me", ANNA)

    (kept,) = flow.comments_on(live, case.id)
    assert (kept.person, kept.late, kept.text) == ("anna", True, "corrected: no. The crew told me")
    assert [each.person for each in flow.opinions_on(live, case.id)] == ["ben"]


def test_sending_a_verdict_twice_leaves_one_and_no_comment(live: Workspace) -> None:
    case = one(live)
    held = flow.lease(live, case.id, ANNA)
    flow.submit(live, case.id, held.fence, "approved", None, "", ANNA)

    with pytest.raises(Conflict):
        flow.submit(live, case.id, held.fence, "approved", None, "", ANNA)

    assert flow.comments_on(live, case.id) == []


def test_time_escalates_then_lets_the_rule_hold_and_never_approves(live: Workspace, clock: FixedClock) -> None:
    case = one(live, answer=True, rule_answer=False)
    assert flow.tend(live) == 0

    clock.advance(timedelta(hours=1, seconds=1))
    assert flow.tend(live) == 1
    assert flow.tend(live) == 0
    assert [entry.subject for entry in governing.entries(live, action="case.overdue")] == [case.id]
    assert flow.find_case(live, case.id).state == "open"

    clock.advance(timedelta(days=7))
    assert flow.tend(live) == 1
    lapsed = flow.find_case(live, case.id)
    assert (lapsed.state, lapsed.verdict_by, lapsed.verdict_answer) == ("lapsed", "", False)
    assert list(governing.entries(live, action="case.approved")) == []
    with pytest.raises(Conflict, match=r"Nobody decided case .* in time"):
        flow.lease(live, case.id, ANNA)


def test_a_case_does_not_lapse_under_the_hands_of_a_reviewer(live: Workspace, clock: FixedClock) -> None:
    case = one(live)
    clock.advance(timedelta(days=7, hours=2))
    held = flow.lease(live, case.id, ANNA)

    flow.tend(live)

    assert flow.submit(live, case.id, held.fence, "approved", None, "", ANNA).state == "open"
    assert len(flow.opinions_on(live, case.id)) == 1


def test_a_case_that_lapsed_is_opened_again_when_somebody_escalates(live: Workspace, clock: FixedClock) -> None:
    decision = recorded(live, review=True)
    flow.take_in(live)
    clock.advance(timedelta(days=8))
    flow.tend(live)

    flow.give_feedback(live, decision, "escalate", "still matters", reviewer("maria"), clock.now())

    (case,) = flow.queue(live, NAME)
    assert (case.state, case.why, case.note) == ("open", "escalated", "still matters")
    assert case.due_at == clock.now() + timedelta(hours=1)
    kinds = [event.kind for event in flow.history(live, case.id)]
    assert kinds == ["opened", "lapsed", "opened"] and not case.blind


@pytest.mark.parametrize(
    ("text", "link", "said"),
    [
        (" ", "", "must say something"),
        ("see", "javascript:alert(1)", "must begin with https:// or http://"),
        ("see", "https://", "must begin with https:// or http://"),
        ("x" * 2001, "", "at most 2000 characters"),
    ],
)
def test_a_comment_says_something_and_links_to_the_web_only(live: Workspace, text: str, link: str, said: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        flow.comment(live, one(live).id, text, link, ANNA)

    assert said in refused.value.problems[0].message


def test_comments_are_kept_in_order(live: Workspace, clock: FixedClock) -> None:
    case = one(live)
    flow.comment(live, case.id, "Ask operations", "https://wiki.example/delays", ANNA)
    clock.advance(timedelta(minutes=1))
    flow.comment(live, case.id, "They agree", "", BEN)

    assert [(each.person, each.text) for each in flow.comments_on(live, case.id)] == [
        ("anna", "Ask operations"),
        ("ben", "They agree"),
    ]


def test_a_blind_case_takes_no_opinion_on_an_answer_that_nobody_saw(work: Workspace) -> None:
    adopted(work, "  samples: {blind: 1}\n")
    go_live(work)
    recorded(work)
    flow.take_in(work)
    (case,) = flow.queue(work, NAME)
    held = flow.lease(work, case.id, ANNA)

    for verdict, positive in (("approved", None), ("corrected", True), ("corrected", False)):  # all alike: no oracle
        with pytest.raises(InvalidRequest) as refused:
            flow.submit(work, case.id, held.fence, verdict, positive, "x", ANNA)  # type: ignore[arg-type]
        assert "does not apply to a case that is judged blind" in refused.value.problems[0].message

    assert flow.submit(work, case.id, held.fence, "rejected", None, "Data looks wrong", ANNA).state == "rejected"


def test_a_blind_verdict_taken_back_is_given_again_with_open_eyes(work: Workspace) -> None:
    adopted(work, "  samples: {blind: 1}\n")
    go_live(work)
    recorded(work)
    flow.take_in(work)
    case = flow.lease_next(work, NAME, ANNA)
    assert case is not None
    flow.judge(work, case.id, case.fence, False, "", ANNA)  # its page shows the model now

    flow.undo(work, case.id, ANNA)
    again = flow.lease(work, case.id, ANNA)
    assert not again.blind
    flow.submit(work, case.id, again.fence, "approved", None, "", ANNA)

    assert [(each.blind, each.undone_at is None) for each in flow.opinions_on(work, case.id)] == [
        (True, False),
        (False, True),
    ]


def test_a_case_that_lapsed_keeps_its_opinions(live: Workspace, clock: FixedClock) -> None:
    case = one(live)
    clock.advance(timedelta(days=7, hours=1) - timedelta(seconds=30))
    says(live, case, ANNA, "approved")
    clock.advance(timedelta(seconds=40))
    flow.tend(live)

    with pytest.raises(Conflict, match="is lapsed; its verdicts stand"):
        flow.undo(live, case.id, ANNA)
